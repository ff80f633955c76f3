import { type ProblemWhat, type SystemProblem, systemProblem } from '../model/system-problem.ts'

/** What may stand in the way in the pipeline's thread, and as which system problem it is reported. */
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
  retention: 'StateGrows',
}
/** What the loop reports of one source begins with this. */
const OF_SOURCE = 'source/'

/** What stands in the way in the pipeline's thread now, one sentence for each kind. */
export class Troubles {
  readonly #now = new Map<string, string>()
  readonly #report: (problems: readonly SystemProblem[]) => void

  /** `report` gets all of them whenever one changes. */
  constructor(report: (problems: readonly SystemProblem[]) => void) {
    this.#report = report
  }

  /** Trouble of that kind is here, or over (`undefined`). */
  set(kind: string, message: string | undefined): void {
    if (this.#now.get(kind) === message) return
    if (message === undefined) this.#now.delete(kind)
    else this.#now.set(kind, message)
    this.#report([...this.#now].map(([key, text]) => problemOf(key, text)))
  }
}

function problemOf(kind: string, text: string): SystemProblem {
  return kind.startsWith(OF_SOURCE)
    ? systemProblem('ReaderStuck', kind.slice(OF_SOURCE.length), text)
    : systemProblem(WHAT[kind] ?? 'PathStuck', kind, text)
}
