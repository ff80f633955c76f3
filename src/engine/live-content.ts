import type { SourceConfig } from '../config/config.ts'
import type { TableSpec } from '../model/column.ts'
import type { ContentFileRef } from '../stages/enrich/keeper-types.ts'
import { type BuiltTable, TableError } from '../stages/enrich/table.ts'
import { messageOf, Refused, RetryLater } from '../util/errors.ts'
import type { Remote } from '../util/rpc.ts'
import { type ChangedPart, changedParts, contentParts, hashOf } from './content-parts.ts'
import { inheritDetectors } from './detectors.ts'
import { type OpenContent, type OpenContentDeps, openContent, readContent } from './open-content.ts'
import type { ContentProblem, LoadedContent } from './path.ts'
import type { ContentReport, ContentSettings, MainCalls } from './pipeline-calls.ts'

/** The outcome of rereading the content folders. */
export type BuiltContent =
  | { readonly kind: 'unchanged'; readonly generation: string }
  /** It cannot replace the content in force; `later`: it may be retried unchanged. */
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

/** Rules that could not be loaded because of a fault in them. */
const FINAL = new Set(['import', 'tampering', 'exception'])

/** The content in force, and its replacement while one is being prepared. */
export class LiveContent {
  readonly #deps: LiveContentDeps
  #current: OpenContent
  #next: OpenContent | undefined
  /** What the configuration says about the content in force, and about its replacement. */
  #settings: ContentSettings
  #nextSettings: ContentSettings

  private constructor(deps: LiveContentDeps, first: OpenContent) {
    this.#deps = deps
    this.#current = first
    const { sources, config } = deps
    this.#settings = { sources, disabledPacks: config.disabled_packs, enabledPacks: config.enabled_packs }
    this.#nextSettings = this.#settings
  }

  static async open(deps: LiveContentDeps): Promise<LiveContent> {
    return new LiveContent(deps, await openContent(await readContent(deps), deps))
  }

  get current(): OpenContent {
    return this.#current
  }

  /** The most recent build, not in force yet. */
  get next(): OpenContent | undefined {
    return this.#next
  }

  /**
   * Builds a content file's table separately and puts it in force in every content that defines it the same way: the present one, its
   * replacement, and one that comes into force in the meantime. Rejects, with the old table in force, if it cannot be built.
   */
  async accept(content: ContentFileRef): Promise<BuiltTable> {
    const { table: name, definition } = content
    const takers = () => [this.#current, this.#next].flatMap((one) => (one?.tables.defines(name, definition) ? [one.tables] : []))
    const [builder] = takers()
    if (!builder) throw new TableError(`the table '${name}' has changed its definition or no longer exists`)
    const { table, passedOver } = await builder.accept(content)
    for (const tables of takers()) tables.put(table)
    return {
      version: table.version,
      rows: table.size,
      skipped: table.skipped.count,
      ...(passedOver.length > 0 && { passedOver }),
    }
  }

  /**
   * Reads the folders again and prepares everything next to the running content: rule processes, their prefilter, the lake's tables.
   * Unchanged parts are reused. Content with faults that the present one does not have is refused. Without settings, those of the content
   * in force apply.
   */
  async build(settings: ContentSettings = this.#settings): Promise<BuiltContent> {
    await this.discard()
    const before = this.#current
    let next: OpenContent | undefined
    const { sources, disabledPacks, enabledPacks } = settings
    const config = { ...this.#deps.config, disabled_packs: [...disabledPacks], enabled_packs: [...enabledPacks] }
    const deps = { ...this.#deps, config, sources }
    try {
      const loaded = await readContent(deps)
      const problems = added(loaded.problems, before.loaded.problems)
      if (problems.length > 0) return { kind: 'broken', problems, later: false }
      if (this.#isInForce(loaded, sources)) {
        this.#settings = settings
        return { kind: 'unchanged', generation: before.generation.hash }
      }
      next = await openContent(loaded, { ...deps, before })
      const faults = [...added(next.report.content.broken, before.report.content.broken), ...newlyOff(next, before)]
      if (faults.length > 0) return await this.#drop(next, faults)
      await Promise.all(next.generation.detectors.map((detector) => detector.prefiltered))
    } catch (error) {
      return this.#drop(next, [{ file: 'content', message: messageOf(error) }], error instanceof RetryLater)
    }
    this.#next = next
    this.#nextSettings = settings
    const { generation, report } = next
    return {
      kind: 'built',
      generation: generation.hash,
      report,
      changes: changedParts(before.generation.parts, generation.parts),
    }
  }

  /**
   * Migrates the lake's tables right before the new content comes into force: a table that cannot follow its new schema keeps the old one.
   * Returns why it cannot; rejects if it cannot at the moment.
   */
  async askLake(): Promise<readonly ContentProblem[]> {
    if (!this.#next) throw new Error('no content has been built')
    const known = new Map(this.#current.report.lakeTables.map((spec) => [nameOf(spec), JSON.stringify(spec)]))
    for (const spec of this.#next.report.lakeTables) {
      const was = known.get(nameOf(spec))
      const isView = spec.table === 'all'
      if (was === undefined || isView || was === JSON.stringify(spec)) continue
      try {
        await this.#deps.lake.call('ensure', { table: spec, late: undefined })
      } catch (error) {
        if (error instanceof Refused) return [{ file: 'content', message: error.message }]
        throw error
      }
    }
    return []
  }

  /** Puts the build in force. Returns the previous content, which the caller closes once nothing uses it. */
  swap(): OpenContent {
    const [before, next] = [this.#current, this.#next]
    if (!next) throw new Error('no content has been built')
    next.tables.inherit(before.tables)
    const unchanged = unchangedRules(before, next)
    inheritDetectors(next.generation.running, before.generation.running, unchanged)
    next.made?.swap(before.made, unchanged)
    this.#current = next
    this.#settings = this.#nextSettings
    this.#next = undefined
    return before
  }

  /** Ends a build that will not be used. */
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

  #isInForce(loaded: LoadedContent, sources: readonly SourceConfig[]): boolean {
    const { generation, loaded: present } = this.#current
    // A table with the same definition in another root has another file of rows.
    const said = ({ problems, names, content }: LoadedContent) =>
      JSON.stringify([problems, names, content.tables.map(({ file }) => file)])
    return hashOf(contentParts(loaded.content, sources)) === generation.hash && said(loaded) === said(present)
  }
}

/** Rules that judge as before: they and everything they could import are unchanged. */
function unchangedRules({ generation: before }: OpenContent, { generation: next }: OpenContent): ReadonlySet<string> {
  const changes = changedParts(before.parts, next.parts)
  if (changes.some(({ kind }) => kind === 'helper' || kind === 'data model')) return new Set()
  const changed = new Set(changes.flatMap(({ kind, name }) => (kind === 'rule' ? [name] : [])))
  return new Set([...next.rules.keys()].filter((id) => before.rules.has(id) && !changed.has(id)))
}

function nameOf({ database, table }: TableSpec): string {
  return `${database}.${table}`
}

function newlyOff(next: OpenContent, before: OpenContent): ContentProblem[] {
  const off = next.generation.detectors.flatMap(({ setupErrors }) => setupErrors.filter(({ cause }) => FINAL.has(cause)))
  const known = new Set(before.generation.detectors.flatMap(({ setupErrors }) => setupErrors.map(({ ruleId }) => ruleId)))
  return off.filter(({ ruleId }) => !known.has(ruleId)).map(({ ruleId, message }) => ({ file: `rule ${ruleId}`, message }))
}

/** Problems that are new; one that only moved to another line is not. */
function added(problems: readonly ContentProblem[], before: readonly ContentProblem[]): ContentProblem[] {
  const keyOf = ({ file, message }: ContentProblem) => `${file.replace(/:\d+$/, '')}\0${message}`
  const known = new Set(before.map(keyOf))
  return problems.filter((problem) => !known.has(keyOf(problem)))
}
