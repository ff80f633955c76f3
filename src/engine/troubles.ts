import type { RecordedBatch } from '../model/batch.ts'
import { type ProblemWhat, type SystemProblem, systemProblem } from '../model/system-problem.ts'

/** Obstacles that the pipeline thread may meet, and the system problem under which each is reported. */
const WHAT: Readonly<Record<string, ProblemWhat>> = {
  lake: 'LakeDown',
  outbox: 'LakeDown',
  lost: 'RowsLost',
  loop: 'PathStuck',
  'look-back': 'RulesImpaired',
  correlation: 'RulesImpaired',
  cache: 'RulesImpaired',
  rules: 'RuleOff',
  late: 'RulesImpaired',
  retro: 'RetroMatchCut',
  learning: 'RetroMatchCut',
  retention: 'StateGrows',
  tracing: 'TracesNotSent',
}
/** Prefix of what the loop reports about one source. */
const OF_SOURCE = 'source/'
/** Prefix of what retro-match reports about one table. */
export const RETRO = 'retro/'

/** Prefix of what is reported about one table that events write. */
export const FULL_TABLE = 'full-table/'

/** Prefix of what is reported about one worker. */
export const WORKER = 'worker/'

interface Trouble extends Pick<SystemProblem, 'batch'> {
  readonly message: string
}

/** Current obstacles in the pipeline thread, one sentence for each kind. */
export class Troubles {
  readonly #now = new Map<string, Trouble>()
  readonly #report: (problems: readonly SystemProblem[]) => void

  /** `report` gets all of them whenever one changes. */
  constructor(report: (problems: readonly SystemProblem[]) => void) {
    this.#report = report
  }

  /** An obstacle of that kind has appeared, or is over (`undefined`). `batch`: the one that met it. */
  set(kind: string, message: string | undefined, batch?: RecordedBatch): void {
    if (this.#now.get(kind)?.message === message) return
    if (message === undefined) this.#now.delete(kind)
    else this.#now.set(kind, { message, ...(batch && { batch: { batchId: batch.batchId, sourceId: batch.sourceId } }) })
    this.#report([...this.#now].map(([key, { message: text, ...about }]) => ({ ...problemOf(key, text), ...about })))
  }
}

function problemOf(kind: string, text: string): SystemProblem {
  if (kind.startsWith(RETRO)) return systemProblem('RetroMatchCut', kind.slice(RETRO.length), text)
  if (kind.startsWith(FULL_TABLE)) return systemProblem('TableFull', kind.slice(FULL_TABLE.length), text)
  if (kind.startsWith(WORKER)) return systemProblem('WorkerDown', kind.slice(WORKER.length), text)
  return kind.startsWith(OF_SOURCE)
    ? systemProblem('ReaderStuck', kind.slice(OF_SOURCE.length), text)
    : systemProblem(WHAT[kind] ?? 'PathStuck', kind, text)
}
