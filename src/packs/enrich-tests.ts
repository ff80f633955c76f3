import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Event } from '../model/event.ts'
import type { JsonObject, JsonValue } from '../model/json.ts'
import type { Rule } from '../model/rule.ts'
import { createEnricher } from '../stages/enrich/enricher.ts'
import type { Enricher, Table } from '../stages/enrich/table.ts'
import { messageOf } from '../util/errors.ts'
import { localTable } from './checks/tables.ts'
import { type Compiled, compileFiles } from './compile.ts'
import type { Content } from './content.ts'
import { jsonValue } from './json-text.ts'
import { loadShipped } from './load.ts'
import { fromFile, logTypeOf, shapeOf } from './test-tables.ts'
import { YamlFile } from './yaml-file.ts'
import { withMember } from './yaml-member.ts'

/** What tests are enriched with. */
export interface TestEnricher {
  readonly enricher: Enricher
  readonly compiled: Compiled
}

/** A rule's file after its tests have been enriched. */
export interface EnrichedFile {
  /** Absent: nothing changes. */
  readonly text?: string
  /** Names of the tests that change. */
  readonly changed: readonly string[]
  /** Sentences about tests that could not be enriched. */
  readonly problems: readonly string[]
}

/**
 * The enabled tables of the content and of the shipped packs that have content on this machine, without a refresh. `files`: table → file with
 * its content. A table that cannot be used is left out, and `tell` is called.
 */
export async function openTestEnricher(
  { schemas, tables }: Pick<Content, 'schemas' | 'tables'>,
  dataFolder: string,
  files: Readonly<Record<string, string>>,
  tell: (sentence: string) => void,
): Promise<TestEnricher> {
  const shipped = await loadShipped()
  const own = new Set(tables.map(({ name }) => name))
  const others = shipped.tables.filter(({ name }) => !own.has(name))
  const compiled = compileFiles({ schemas: [...shipped.schemas, ...schemas], tables: [...others, ...tables] })
  for (const { file, message } of compiled.problems) if (tables.some((one) => one.file === file)) tell(`${file}: ${message}`)
  for (const name of Object.keys(files))
    if (!compiled.tables.has(name)) tell(`--table ${name}: there is no enabled table '${name}'`)
  const built: Table[] = []
  for (const [name, loaded] of compiled.tables) {
    try {
      const given = files[name]
      const table = given === undefined ? await localTable(loaded, dataFolder) : await fromFile(loaded, given)
      if (table) built.push(table)
    } catch (error) {
      tell(`table '${name}' is left out: ${messageOf(error)}`)
    }
  }
  return { enricher: createEnricher(built), compiled }
}

/** Fills `p_enrichment` into the tests of a rule's YAML file. Tests that pin tables are enriched when they run, so they stay. */
export async function enrichFile(
  rule: Pick<Rule, 'file' | 'logTypes'>,
  { enricher, compiled }: TestEnricher,
): Promise<EnrichedFile> {
  const before = await readFile(rule.file, 'utf8')
  const yaml = new YamlFile(before)
  const { Tests: tests = [] } = yaml.value as { readonly Tests?: readonly { readonly Name: string; readonly Tables?: unknown }[] }
  const changed: string[] = []
  const problems: string[] = []
  let text = before
  for (const [at, { Name: name, Tables: pinned }] of tests.entries()) {
    if (pinned !== undefined) continue
    try {
      const event = jsonValue(yaml.json(['Tests', at, 'Log'])) as JsonObject
      const said = event['p_enrichment']
      enricher.enrich(shapeOf(logTypeOf(rule, event), compiled), [event as Event])
      if (event['p_enrichment'] === said) continue
      const enrichment = { ...(said as JsonObject | undefined), ...withoutVersions(event['p_enrichment'] as JsonObject) }
      if (isDeepStrictEqual(said, enrichment)) continue
      const next = withMember(text, ['Tests', at, 'Log'], 'p_enrichment', enrichment)
      if (next === undefined) throw new Error('its Log cannot be changed in place: write it out, without an alias')
      text = next
      changed.push(name)
    } catch (error) {
      problems.push(`test '${name}': ${messageOf(error)}`)
    }
  }
  return { ...(changed.length > 0 && { text }), changed, problems }
}

/** A test is to stay the same when a table's other rows change. */
function withoutVersions(enrichment: JsonObject): JsonObject {
  const rowOf = (row: JsonValue): JsonValue => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return row
    const { p_version: _, ...rest } = row as JsonObject
    return rest
  }
  const selected = (rows: JsonValue): JsonValue => (Array.isArray(rows) ? (rows as JsonValue[]).map(rowOf) : rowOf(rows))
  return Object.fromEntries(
    Object.entries(enrichment).map(([table, selectors]) => [
      table,
      Array.isArray(selectors) || typeof selectors !== 'object' || selectors === null
        ? selectors!
        : Object.fromEntries(Object.entries(selectors as JsonObject).map(([selector, rows]) => [selector, selected(rows!)])),
    ]),
  )
}
