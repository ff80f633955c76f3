import { type Reading, readConditions } from '../prefilter/conditions.ts'
import type { NecessaryContent } from './protocol.ts'
import type { RuleSet } from './rules.ts'
import { startSandbox } from './snapshot.ts'

/** A thousand rules take five seconds; this is for a very busy machine, or for rules made to be hard to read. */
const LIMIT_MS = 60_000

/**
 * Reads all rules, in a child of its own that is ended afterwards: reading takes seconds, and the child that judges is
 * needed meanwhile. Rejects when it takes too long or the signal ends it.
 */
export async function readRules(set: RuleSet, signal: AbortSignal): Promise<Reading> {
  const sandbox = await startSandbox()
  const end = () => void sandbox.close()
  try {
    signal.addEventListener('abort', end)
    if (signal.aborted) throw new Error('the Python detector is closed')
    const { sources, rules, helpers, dataModels, logTypes } = set.load([], false)
    const content: NecessaryContent = { sources, rules, helpers, dataModels, logTypes }
    const payload = new TextEncoder().encode(JSON.stringify(content))
    const answer = await sandbox.request([[{ kind: 'necessary', timeoutMs: 0, careful: false }, payload]], LIMIT_MS)
    return readConditions(new TextDecoder().decode(answer))
  } finally {
    signal.removeEventListener('abort', end)
    await sandbox.close()
  }
}
