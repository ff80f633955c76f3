import type { ProblemKind } from './system-problem.ts'

const MINUTE = 60_000

/** What Caracal reports about other nodes. */
export const NODE_PROBLEMS = {
  NodeMissing: {
    headline: 'Nodes are missing',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'A process that shares the state, and was not stopped, has not been seen for a minute: it no longer receives, or cannot take over.',
    advice:
      'Start it again on its machine, or see there why it ended. One that is gone for good is forgotten after a day (docs/nodes.md).',
  },
  ContentDiffers: {
    headline: 'Nodes have different content',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'The node that has become active has other rules, schemas or tables in its folders than the one before it, or other sources or packs in its configuration, so other ones are in force now.',
    advice:
      'Compare what the message names with the other node, and copy what is missing. Content in git is the same on every node (docs/nodes.md).',
  },
  WorkerDown: {
    headline: 'Workers cannot be used',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: MINUTE,
    meaning:
      'A node with the role worker has recorded itself, and the active node cannot have it judge. The active node and other workers do its part.',
    advice:
      'The message says why. Check that `listen` of the worker is an address that the active node reaches, and that both run the same version (docs/nodes.md).',
  },
} as const satisfies Record<string, ProblemKind>
