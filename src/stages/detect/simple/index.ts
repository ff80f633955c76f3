import type { Language } from '../language.ts'
import { SimpleDetector } from './detector.ts'
import { parseSimpleDetection } from './parse.ts'
import { simpleReads } from './reads.ts'
import { loadRules } from './rules.ts'

/** Rules whose YAML contains the detection itself. */
export const simple = {
  type: 'simple',
  summary: 'Detections written as match expressions in a rule’s YAML, in Panther’s format.',
  reads: simpleReads,
  yaml: {
    keys: ['Detection', 'AlertTitle', 'AlertContext', 'GroupBy', 'DynamicSeverities'],
    check: parseSimpleDetection,
  },

  // The cost of a predicate is bounded by the size of the event, so no time limit is needed.
  async create(content, { all }) {
    return new SimpleDetector(loadRules(content, all))
  },
} as const satisfies Language
