import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Event } from '../model/event.ts'
import type { JsonObject, JsonValue } from '../model/json.ts'
import type { PinnedTable, Rule, RuleTest } from '../model/rule.ts'
import type { DetectorTest } from '../stages/detect/language.ts'
import type { LogTypeShape } from '../stages/enrich/associations.ts'
import { buildTable, type TableContent } from '../stages/enrich/build.ts'
import { createEnricher } from '../stages/enrich/enricher.ts'
import type { Table } from '../stages/enrich/table.ts'
import { messageOf } from '../util/errors.ts'
import { stringifyJson } from '../util/json.ts'
import { type Compiled, compileFiles, type LoadedTable } from './compile.ts'
import type { Content } from './content.ts'
import { suggestion } from './issues.ts'
import { jsonValue } from './json-text.ts'
import { loadShipped } from './load.ts'

type Defining = Pick<Content, 'schemas' | 'tables'>

/**
 * The tables that unit tests pin (`Tables:`): built from the test's rows or file as the table is defined, in the content or in the shipped
 * packs, whether it is enabled or not. Nothing is fetched.
 */
export class TestTables {
  readonly #content: Defining
  readonly #files = new Map<string, Promise<Table>>()
  #own: Compiled | undefined
  #shipped: Promise<Compiled> | undefined

  constructor(content: Defining) {
    this.#content = content
  }

  /** The test with its event joined with the pinned tables, which `lookup` reads. Rejects if a table cannot be used. */
  async prepare(rule: Pick<Rule, 'logTypes' | 'kind'>, { tables: pinned = [], ...test }: RuleTest): Promise<DetectorTest> {
    const tables = await Promise.all(pinned.map((one) => this.#tableOf(one)))
    const { rows, enrich } = createEnricher(tables)
    const event = jsonValue(test.log) as JsonObject
    const before = event['p_enrichment']
    if (tables.length > 0 && rule.kind !== 'scheduled_rule')
      enrich(shapeOf(logTypeOf(rule, event), this.#compiled()), [event as Event])
    return { ...test, log: withEnrichment(test.log, enrichmentOf(before, event, tables)), rows }
  }

  async #tableOf(pinned: PinnedTable): Promise<Table> {
    const loaded = await this.#loaded(pinned.name)
    try {
      if ('rows' in pinned) return await fromRows(loaded, pinned.rows)
      const known = this.#files.get(`${pinned.name} ${pinned.file}`)
      if (known) return await known
      const reading = fromFile(loaded, pinned.file)
      this.#files.set(`${pinned.name} ${pinned.file}`, reading)
      return await reading
    } catch (error) {
      throw new Error(`table '${pinned.name}' cannot be used: ${messageOf(error)}`, { cause: error })
    }
  }

  async #loaded(name: string): Promise<LoadedTable> {
    const own = this.#compiled()
    const found = own.tables.get(name)
    if (found) return found
    this.#shipped ??= loadShipped().then(compileAll)
    const shipped = await this.#shipped
    const table = shipped.tables.get(name)
    if (table) return table
    const file = this.#content.tables.find((one) => one.name === name)?.file
    const problem = own.problems.find((one) => one.file === file)
    if (problem) throw new Error(`table '${name}' cannot be used: ${problem.message}`)
    const known = new Set([...own.tables.keys(), ...shipped.tables.keys()])
    throw new Error(
      `there is no table '${name}'${suggestion(name, known) || `: define it with AnalysisType: lookup_table. Known: ${[...known].sort().join(', ')}`}`,
    )
  }

  #compiled(): Compiled {
    this.#own ??= compileAll(this.#content)
    return this.#own
  }
}

/** The log type as tables are joined with it; any field may be there if it has no schema. */
export function shapeOf(name: string, { schemas }: Pick<Compiled, 'schemas'>): LogTypeShape {
  return schemas.get(name) ?? { name, columns: [], isDescribed: false }
}

/** A test decides by itself which tables have content, so disabled ones count too. */
function compileAll({ schemas, tables }: Defining): Compiled {
  const enabled = tables.map((one) => ({ ...one, document: { ...(one.document as object), Enabled: true } }))
  return compileFiles({ schemas, tables: enabled })
}

/** However the table's own content is laid out, these are its rows. */
function fromRows({ definition, schema }: LoadedTable, rows: string): Promise<Table> {
  const own = { ...definition, rowsAt: undefined, columns: undefined }
  return build({ definition: own, schema }, { bytes: Buffer.from(rows), fileName: 'rows.json' }, 'json')
}

/** A table from a file, in the format of its definition or of the file. */
export async function fromFile(loaded: LoadedTable, file: string): Promise<Table> {
  const fileName = basename(file)
  const content = { bytes: await readFile(file), fileName, date: /\d{4}-\d{2}-\d{2}/.exec(fileName)?.[0] }
  const { format } = loaded.definition
  try {
    return await build(loaded, content, format)
  } catch (error) {
    // A provider's format aside, it may be a file with columns.
    if (format === undefined) throw error
    return await build(loaded, content, undefined).catch(() => Promise.reject(error))
  }
}

function build({ definition, schema }: LoadedTable, content: TableContent, format: string | undefined): Promise<Table> {
  return buildTable({ ...definition, format, mayBeEmpty: true }, schema, content)
}

/** The log type of a test's event. Throws if it is not known. */
export function logTypeOf({ logTypes }: Pick<Rule, 'logTypes'>, event: JsonObject): string {
  const named = event['p_log_type']
  if (typeof named === 'string') return named
  if (logTypes.length === 1) return logTypes[0]!
  throw new Error(
    'the Log needs a p_log_type, because the rule judges several log types, which are joined with tables by their fields',
  )
}

/** What the Log says about other tables stays. `undefined` if there is nothing to say and nothing was said. */
function enrichmentOf(before: JsonValue | undefined, event: JsonObject, tables: readonly Table[]): JsonObject | undefined {
  const said = typeof before === 'object' && before !== null && !Array.isArray(before) ? (before as JsonObject) : undefined
  const found = event['p_enrichment'] === before ? undefined : (event['p_enrichment'] as JsonObject)
  if (!said && !found) return undefined
  const pinned = new Set(tables.map(({ name }) => name))
  const others = Object.entries(said ?? {}).filter(([name]) => !pinned.has(name))
  return { ...Object.fromEntries(others), ...found }
}

/** Appended to the text, since the last of two members with one name counts: all numbers keep their digits. */
function withEnrichment(log: string, enrichment: JsonObject | undefined): string {
  if (!enrichment) return log
  const members = log.slice(0, log.lastIndexOf('}')).trimEnd()
  return `${members}${members.endsWith('{') ? '' : ','}"p_enrichment":${stringifyJson(enrichment)}}`
}
