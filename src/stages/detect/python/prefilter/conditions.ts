import { messageOf } from '../../../../util/errors.ts'
import { hash16 } from '../../../../util/hash.ts'
import { Kept } from '../../../../util/kept.ts'
import { type Reading, readConditions } from '../../prefilter/conditions.ts'
import type { RuleSet } from '../rules.ts'
import { readNecessary } from '../sandbox/answer.ts'
import type { NecessaryContent } from '../sandbox/protocol.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/snapshot.ts'
import { readSources, snapshotKey } from '../sandbox/sources.ts'
import { KnownConditions } from './known-conditions.ts'

/** A thousand rules take five seconds; this allows for a very busy machine, or for rules written to be hard to read. */
const LIMIT_MS = 60_000

/** Two passes: first the rules with unknown traits, then those that depend on them. */
const MAX_ROUNDS = 2

/** Number of unused conditions to retain: those of earlier versions of rules, or of other rules. */
const SPARE = 4000

/** Conditions read by an earlier run, by everything that they depend on. Empty without a folder. */
export async function keptConditions(folder: string | undefined, roots: readonly string[]): Promise<Kept> {
  if (folder === undefined) return new Kept(undefined)
  // Covers all of the shipped Python: the reader itself, and the helpers that rules import.
  const stamp = `caracal-conditions 1 ${snapshotKey(await readSources())}`
  return new Kept({ folder, kind: 'conditions', id: hash16(...roots), stamp, spare: SPARE })
}

/** Reads the conditions of rules once, for all the children that judge with them. */
export class ConditionReader {
  readonly #set: RuleSet
  readonly #kept: Promise<Kept>
  readonly #closed = new AbortController()
  readonly #onProblem: (message: string) => void
  #reading: Promise<Reading | undefined> | undefined

  /** `kept`: results of an earlier run. `onProblem`: called if rules cannot be read and therefore see every event. */
  constructor(set: RuleSet, kept: Promise<Kept>, onProblem: (message: string) => void = () => {}) {
    this.#set = set
    this.#kept = kept
    this.#onProblem = onProblem
  }

  /** Starts at the first call. Resolves with `undefined` if reading failed or was ended by `close`; never rejects. */
  read(): Promise<Reading | undefined> {
    this.#reading ??= this.#read()
    return this.#reading
  }

  async #read(): Promise<Reading | undefined> {
    try {
      const reading = await readRules(this.#set, this.#closed.signal, await this.#kept)
      for (const problem of reading.problems)
        this.#onProblem(`a rule sees every event because the prefilter could not analyse it: ${problem}`)
      return reading
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#onProblem(`the prefilter of Python rules is off: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Ends a reading under way, and its child. */
  close(): void {
    this.#closed.abort()
  }
}

/**
 * Reads the rules that are missing from `kept`, in a separate child that is ended afterwards: reading takes seconds, and the child that
 * judges is needed meanwhile. Rejects if it takes too long or the signal aborts it.
 */
export async function readRules(set: RuleSet, signal: AbortSignal, kept: Kept = new Kept(undefined)): Promise<Reading> {
  const { sources, rules, helpers, dataModels, logTypes } = set.load([], new Map(), { careful: false, watch: 'never' })
  const known = new KnownConditions({ sources, rules, helpers, dataModels, logTypes }, kept)
  if (known.missing()) {
    await readMissing(known, signal)
    await kept.save()
  }
  return readConditions(known.text())
}

async function readMissing(known: KnownConditions, signal: AbortSignal): Promise<void> {
  const sandbox = await startSandbox()
  const end = () => void sandbox.close()
  try {
    signal.addEventListener('abort', end)
    if (signal.aborted) throw new Error('the Python detector is closed')
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const missing = known.missing()
      if (!missing) break
      known.add(await ask(sandbox, missing))
    }
  } finally {
    signal.removeEventListener('abort', end)
    await sandbox.close()
  }
}

async function ask(sandbox: Sandbox, content: NecessaryContent): Promise<string> {
  const payload = new TextEncoder().encode(JSON.stringify(content))
  const answer = await sandbox.request([[{ kind: 'necessary', timeoutMs: 0, careful: false }, payload]], LIMIT_MS)
  const read = readNecessary(answer, content)
  if ('malformed' in read) throw new Error(read.malformed)
  return read.value
}
