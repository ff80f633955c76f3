import { kindOf, type SystemProblem } from '../model/system-problem.ts'

export interface LastingProblem extends SystemProblem {
  /** Start of the uninterrupted reports, epoch ms. */
  readonly sinceMs: number
}

/** What is wrong now. Every reporter names all of its problems each time: one that it no longer names is over. */
export class Problems {
  readonly #now: () => number
  readonly #byReporter = new Map<string, readonly LastingProblem[]>()

  /** Called with problems that begin and problems that are over. */
  onChange: (begun: readonly LastingProblem[], gone: readonly LastingProblem[]) => void = () => {}

  constructor(now: () => number) {
    this.#now = now
  }

  report(reporter: string, problems: readonly SystemProblem[]): void {
    const before = new Map((this.#byReporter.get(reporter) ?? []).map((problem) => [idOf(problem), problem]))
    const now = new Map<string, LastingProblem>()
    for (const problem of problems) {
      const id = idOf(problem)
      now.set(id, { ...problem, sinceMs: before.get(id)?.sinceMs ?? this.#now() })
    }
    this.#byReporter.set(reporter, [...now.values()])
    const begun = [...now].flatMap(([id, problem]) => (before.has(id) ? [] : [problem]))
    const gone = [...before].flatMap(([id, problem]) => (now.has(id) ? [] : [problem]))
    if (begun.length + gone.length > 0) this.onChange(begun, gone)
  }

  /** Adds to a reporter's problems. */
  add(reporter: string, problem: SystemProblem): void {
    this.report(reporter, [...(this.#byReporter.get(reporter) ?? []), problem])
  }

  /** Everything that is wrong; problems that make health `failing` come first. */
  get current(): readonly LastingProblem[] {
    const all = [...this.#byReporter.values()].flat()
    return [...all.filter(isFailing), ...all.filter((problem) => !isFailing(problem))]
  }
}

/** True if it makes health `failing`. */
export function isFailing({ what }: SystemProblem): boolean {
  return kindOf(what).isFailing === true
}

function idOf({ what, key }: SystemProblem): string {
  return `${what}\0${key}`
}
