import { messageOf, RetryLater } from '../util/errors.ts'
import type { Remote } from '../util/rpc.ts'
import { type ChangedPart, changedParts, contentParts, hashOf } from './content-parts.ts'
import { type OpenContent, type OpenContentDeps, openContent, readContent } from './open-content.ts'
import type { ContentProblem, LoadedContent } from './path.ts'
import type { ContentReport, MainCalls } from './pipeline-calls.ts'

/** What came of reading the content folders again. */
export type BuiltContent =
  | { readonly kind: 'unchanged'; readonly generation: string }
  /** It cannot take the place of what runs; `later`: it may be tried again as it is. */
  | { readonly kind: 'broken'; readonly problems: readonly ContentProblem[]; readonly later: boolean }
  | {
      readonly kind: 'built'
      readonly generation: string
      readonly report: ContentReport
      readonly changes: readonly ChangedPart[]
    }

export interface LiveContentDeps extends Omit<OpenContentDeps, 'before'> {
  readonly lake: Remote<Pick<MainCalls, 'ensure'>>
}

/** Rules that could not be loaded for a reason that lies in them. */
const FINAL = new Set(['import', 'tampering', 'exception'])

/** The content in force, and the one that is to take its place. */
export class LiveContent {
  readonly #deps: LiveContentDeps
  #current: OpenContent
  #next: OpenContent | undefined

  private constructor(deps: LiveContentDeps, first: OpenContent) {
    this.#deps = deps
    this.#current = first
  }

  static async open(deps: LiveContentDeps): Promise<LiveContent> {
    return new LiveContent(deps, await openContent(await readContent(deps), deps))
  }

  get current(): OpenContent {
    return this.#current
  }

  /** What was built last and is not in force yet. */
  get next(): OpenContent | undefined {
    return this.#next
  }

  /**
   * Reads the folders again and makes everything ready beside what runs: the rules' processes, their prefilter, the lake's tables. What
   * has not changed is kept. Content with faults that the present one does not have is not taken.
   */
  async build(): Promise<BuiltContent> {
    await this.discard()
    const before = this.#current
    let next: OpenContent | undefined
    try {
      const loaded = await readContent(this.#deps)
      const problems = added(loaded.problems, before.loaded.problems)
      if (problems.length > 0) return { kind: 'broken', problems, later: false }
      if (this.#isInForce(loaded)) return { kind: 'unchanged', generation: before.generation.hash }
      next = await openContent(loaded, { ...this.#deps, before })
      const faults = [...added(next.report.content.broken, before.report.content.broken), ...newlyOff(next, before)]
      if (faults.length > 0) return await this.#drop(next, faults)
      await Promise.all(next.generation.detectors.map((detector) => detector.prefiltered))
      await this.#askLake(next.report, before.report)
    } catch (error) {
      return this.#drop(next, [{ file: 'content', message: messageOf(error) }], error instanceof RetryLater)
    }
    this.#next = next
    const { generation, report } = next
    return {
      kind: 'built',
      generation: generation.hash,
      report,
      changes: changedParts(before.generation.parts, generation.parts),
    }
  }

  /** Puts what was built in force; returns what was before, which the caller closes once nothing of it is under way. */
  swap(): OpenContent {
    const [before, next] = [this.#current, this.#next]
    if (!next) throw new Error('no content has been built')
    next.tables.inherit(before.tables)
    const unchanged = unchangedRules(before, next)
    for (const { language, detector } of next.generation.running) {
      const old = before.generation.running.find((one) => one.language === language)?.detector
      if (old && old !== detector) detector.inherit?.(old, unchanged)
    }
    this.#current = next
    this.#next = undefined
    return before
  }

  /** Ends what was built and will not be used. */
  async discard(): Promise<void> {
    const next = this.#next
    this.#next = undefined
    await next?.close(this.#current)
  }

  async close(): Promise<void> {
    await this.discard()
    await this.#current.close()
  }

  async #drop(next: OpenContent | undefined, problems: readonly ContentProblem[], later = false): Promise<BuiltContent> {
    await next?.close(this.#current)
    return { kind: 'broken', problems, later }
  }

  #isInForce(loaded: LoadedContent): boolean {
    const { generation, loaded: present } = this.#current
    const said = ({ problems, names }: LoadedContent) => JSON.stringify([problems, names])
    return hashOf(contentParts(loaded.content, this.#deps.sources)) === generation.hash && said(loaded) === said(present)
  }

  /** A table that the lake cannot bring to its new schema keeps the old one: found out before anything depends on it. */
  async #askLake({ lakeTables }: ContentReport, before: ContentReport): Promise<void> {
    const known = new Map(before.lakeTables.map((spec) => [`${spec.database}.${spec.table}`, JSON.stringify(spec)]))
    for (const spec of lakeTables) {
      const was = known.get(`${spec.database}.${spec.table}`)
      const isView = spec.table === 'all'
      if (was === undefined || isView || was === JSON.stringify(spec)) continue
      await this.#deps.lake.call('ensure', { table: spec, late: undefined })
    }
  }
}

/** Rules that judge as before: they and everything that they could import are the same. */
function unchangedRules({ generation: before }: OpenContent, { generation: next }: OpenContent): ReadonlySet<string> {
  const changes = changedParts(before.parts, next.parts)
  if (changes.some(({ kind }) => kind === 'helper' || kind === 'data model')) return new Set()
  const changed = new Set(changes.flatMap(({ kind, name }) => (kind === 'rule' ? [name] : [])))
  return new Set([...next.rules.keys()].filter((id) => before.rules.has(id) && !changed.has(id)))
}

function newlyOff(next: OpenContent, before: OpenContent): ContentProblem[] {
  const off = next.generation.detectors.flatMap(({ setupErrors }) => setupErrors.filter(({ cause }) => FINAL.has(cause)))
  const known = new Set(before.generation.detectors.flatMap(({ setupErrors }) => setupErrors.map(({ ruleId }) => ruleId)))
  return off.filter(({ ruleId }) => !known.has(ruleId)).map(({ ruleId, message }) => ({ file: `rule ${ruleId}`, message }))
}

/** Problems that were not there before; that lines have moved makes no new one. */
function added(problems: readonly ContentProblem[], before: readonly ContentProblem[]): ContentProblem[] {
  const keyOf = ({ file, message }: ContentProblem) => `${file.replace(/:\d+$/, '')}\0${message}`
  const known = new Set(before.map(keyOf))
  return problems.filter((problem) => !known.has(keyOf(problem)))
}
