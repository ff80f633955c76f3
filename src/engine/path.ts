import type { Config } from '../config/config.ts'
import { resolveSecret } from '../config/env.ts'
import type { TableSpec } from '../model/column.ts'
import { isMailed, type ScheduledQuery } from '../model/query.ts'
import type { Rule } from '../model/rule.ts'
import type { CompiledSchema } from '../model/schema.ts'
import { checkNames } from '../packs/checks/index.ts'
import { compileFiles, type LoadedTable } from '../packs/compile.ts'
import type { Content, Problem } from '../packs/content.ts'
import { hostedNotices } from '../packs/hosted-tables.ts'
import { suggestion } from '../packs/issues.ts'
import { contentRoots, loadContent } from '../packs/load.ts'
import { withOverrides } from '../packs/overrides.ts'
import { type PackMembers, packMembers } from '../packs/pack-members.ts'
import { packsOff, unknownPacks, withoutPacks } from '../packs/packs.ts'
import { withSuppressions } from '../packs/suppressions.ts'
import type { Correlation } from '../pipeline/correlate.ts'
import { eventTable, matchTable, SIGNALS } from '../pipeline/rows.ts'
import { createCorrelator } from '../stages/detect/correlation/correlator.ts'
import { toRule } from '../stages/detect/correlation/finding.ts'
import type { CorrelationStore } from '../stages/detect/correlation/store.ts'
import { queryIn } from '../stages/enrich/query-keys.ts'
import { compileSchema } from '../stages/normalise/compile.ts'
import { HeaderSchemas } from '../stages/normalise/header-schema.ts'
import { compileFilters } from '../stages/parse/filters.ts'
import type { ParseSource } from '../stages/parse/parser.ts'
import { mentions } from '../stages/store/dialect/names.ts'
import { ConfigError } from '../util/errors.ts'
import type { ContentSource } from './generation.ts'
import { lookupSpecs } from './lookups/names.ts'

/** Content that is ready to run. What could not be used is in `problems`; the rest runs. */
export interface LoadedContent {
  readonly content: Content
  /** The content folders, absolute. */
  readonly roots: readonly string[]
  readonly schemas: ReadonlyMap<string, CompiledSchema>
  readonly rules: ReadonlyMap<string, Rule>
  readonly tables: ReadonlyMap<string, LoadedTable>
  readonly problems: readonly ContentProblem[]
  /** Names that do not exist: content that uses them runs, but without effect. */
  readonly names: readonly ContentProblem[]
  readonly notices: readonly string[]
  /** What each pack holds, on or off. */
  readonly packs: readonly PackMembers[]
  /** Schemas of Zeek logs without a schema file, created at runtime. */
  readonly headerSchemas: HeaderSchemas
}

/** The file with the line, and what is wrong there. */
export interface ContentProblem {
  readonly file: string
  readonly message: string
}

/** What the configuration says about content. Without sources and destinations, names are not checked against them. */
type Chosen = { readonly content: readonly string[] } & Partial<
  Pick<Config, 'data_dir' | 'disabled_packs' | 'enabled_packs' | 'destinations'>
> & {
    readonly sources?: readonly { readonly log_types: readonly string[] }[]
  }

/** Reads and compiles everything under the content roots; `cache` is a folder for parsed YAML files. */
export async function loadPath(
  { content: folders, data_dir: dataDir, sources, destinations, ...packs }: Chosen,
  cache?: string,
): Promise<LoadedContent> {
  const roots = contentRoots(folders)
  // A content root may contain the data folder.
  const without = dataDir === undefined ? [] : [dataDir]
  const places = roots.map((folder) => ({ folder, without }))
  const read = withOverrides(await loadContent(places, { tests: false, ...(cache !== undefined && { cache }) }))
  const running = withoutPacks(read, packsOff(read.packs, packs))
  const loaded = compileContent({ ...running, policies: running.policies.map(withSuppressions) })
  const unknown = unknownPacks(read.packs, packs).map((message) => ({ file: 'configuration', message }))
  const names = checkNames(enabledOnly(loaded.content), { known: loaded, sources, destinations })
  return {
    ...loaded,
    roots,
    packs: packMembers(read),
    problems: [...loaded.problems, ...unknown],
    names: names.problems.map(placed),
    notices: [...loaded.notices, ...names.notices, ...hostedNotices(running, running)],
  }
}

/** Only what runs: an unknown name in a disabled rule does no harm. */
function enabledOnly(content: Content): Content {
  const enabled = <T extends { readonly enabled: boolean }>(items: readonly T[]) => items.filter((item) => item.enabled)
  const { rules, scheduledRules, policies } = content
  return { ...content, rules: enabled(rules), scheduledRules: enabled(scheduledRules), policies: enabled(policies) }
}

/** Compiles the schemas and tables of the content. */
export function compileContent(content: Content): LoadedContent {
  const { schemas, tables, problems } = compileFiles(content, undefined, (reference) => resolveSecret(reference))
  const enabled = judgedRules(content).filter((rule) => rule.enabled)
  const rules = new Map(enabled.map((rule) => [rule.id, rule]))
  const all = [...content.problems, ...problems].map(placed)
  return {
    content,
    roots: [],
    schemas,
    rules,
    tables,
    problems: all,
    names: [],
    notices: content.notices,
    packs: [],
    headerSchemas: new HeaderSchemas(),
  }
}

/** A problem as the running product stores it: the line is part of the location. */
function placed({ file, line, message }: Problem): ContentProblem {
  return { file: line === undefined ? file : `${file}:${line}`, message }
}

/**
 * Everything that a detection language judges with: rules, scheduled rules, policies. A policy that names no resource types applies to all
 * types named by policies, since nothing else distinguishes a resource from a log's event.
 */
export function judgedRules({ rules, scheduledRules, policies }: Content): readonly Rule[] {
  const resourceTypes = [...new Set(policies.flatMap(({ policy }) => policy?.resourceTypes ?? []))]
  const complete = policies.map((rule) =>
    rule.policy?.resourceTypes.length === 0 ? { ...rule, policy: { ...rule.policy, resourceTypes } } : rule,
  )
  return [...rules, ...scheduledRules, ...complete]
}

/** Log types named by rules and resource types named by policies. */
function namedLogTypes(content: Content): ReadonlySet<string> {
  return new Set(judgedRules(content).flatMap(({ logTypes, policy }) => [...logTypes, ...(policy?.resourceTypes ?? [])]))
}

/** The only field of a plain schema, since a schema needs at least one. No event has it. */
const PLAIN_FIELD = { name: 'caracal_note', type: 'string' }

/**
 * A schema for a log type without a schema file: fields stay as they are sent (in the lake in `extra`), and the event's time is when it was
 * received.
 */
function plainSchema(name: string): CompiledSchema {
  return {
    ...compileSchema({ schema: name, fields: [PLAIN_FIELD] }, { file: `(no schema file for ${name})` }),
    isDescribed: false,
  }
}

type Described = Pick<LoadedContent, 'content' | 'schemas'>

/** The schema for a source that names this log type: from a file, or a plain one if a rule, a policy or a query is about it. */
export function schemaOf(name: string, { content, schemas }: Described): CompiledSchema | undefined {
  const described = schemas.get(name)
  if (described) return described
  if (namedLogTypes(content).has(name)) return plainSchema(name)
  const plain = compiled(() => plainSchema(name))
  const queries = [
    ...[...content.scheduledQueries, ...content.savedQueries].map(({ sql }) => sql),
    ...content.tables.map(({ document }) => queryIn(document) ?? ''),
  ]
  return plain && queries.some((sql) => mentions(sql, plain.table)) ? plain : undefined
}

type FilteredSource = Pick<ContentSource, 'id' | 'log_types' | 'filters' | 'sampling' | 'sourcetypes'>

/** A misspelt log type would make an `exclude` idle, and an `include` leave out everything. */
function checkFilters({ id, filters = [], sampling, log_types }: FilteredSource, sent: ReadonlySet<string>): void {
  const known = new Set([...sent].map((name) => name.toLowerCase()))
  const lists: readonly (readonly [string, readonly string[] | undefined])[] = [
    ...filters.map(({ name, exclude, include }) => [`filter '${name}'`, (exclude ?? include)?.log_types] as const),
    ['sampling', sampling?.log_types],
  ]
  for (const [what, names = []] of lists) {
    // Zeek's headers describe log types that have no schema.
    const isUnknown = (name: string) => !known.has(name.toLowerCase()) && (log_types.length > 0 || !/^zeek\./i.test(name))
    const wrong = names.find(isUnknown)
    if (wrong === undefined) continue
    const why = log_types.length > 0 ? `which is not one of the source's` : 'which has no schema'
    throw new ConfigError(
      `${what} of source '${id}' names the log type '${wrong}', ${why}${suggestion(wrong, sent) || ': correct it'}`,
    )
  }
}

/** Throws `ConfigError` if a sourcetype is given a log type that the source's records cannot have. */
function checkSourcetypes({ id, sourcetypes = {}, log_types }: FilteredSource, accepted: ReadonlySet<string>): void {
  for (const [sourcetype, logType] of Object.entries(sourcetypes)) {
    if (accepted.has(logType)) continue
    const why =
      log_types.length > 0 ? 'is not among its `log_types`: add it there' : `has no schema${suggestion(logType, accepted)}`
    throw new ConfigError(`source '${id}' gives the sourcetype '${sourcetype}' the log type '${logType}', which ${why}`)
  }
}

/** What parsing needs to know about a source. Throws `ConfigError` for a log type that has no schema. */
export function parseSource(source: FilteredSource & Pick<ContentSource, 'label'>, loaded: LoadedContent): ParseSource {
  const { schemas } = loaded
  const chosen = source.log_types.map((name) => {
    const schema = schemaOf(name, loaded)
    if (!schema)
      throw new ConfigError(
        `source '${source.id}' names the log type '${name}', which has no schema and is not used by any rule or query${suggestion(name, schemas.keys()) || ': correct it, or put a schema for it into the content (docs/schemas.md)'}`,
      )
    return schema
  })
  checkFilters(source, new Set(chosen.length > 0 ? source.log_types : schemas.keys()))
  checkSourcetypes(source, new Set(chosen.length > 0 ? source.log_types : schemas.keys()))
  const [only] = chosen
  return {
    id: source.id,
    label: source.label ?? source.id,
    schemas: chosen.length > 0 ? chosen : [...schemas.values()],
    isNamed: chosen.length > 0,
    describe: chosen.length > 0 ? undefined : (logType, columns) => loaded.headerSchemas.get(logType, columns, source.id),
    logType: chosen.length === 1 ? only!.name : undefined,
    filters: compileFilters(source.filters ?? [], source.sampling),
  }
}

/** Enabled scheduled queries whose rows an enabled rule judges or that are mailed; the others have no reason to run. */
export function usedQueries({ content, rules }: LoadedContent): ScheduledQuery[] {
  const wanted = new Set([...rules.values()].flatMap(({ scheduledQueries }) => scheduledQueries ?? []))
  return content.scheduledQueries.filter(({ name, enabled, email }) => enabled && (wanted.has(name) || isMailed(email)))
}

/**
 * The lake's tables, as queries may name them: events and matches by log type, the views over all, signals. Log types without a schema file
 * have tables if they are among those `read`; others that rules name are marked.
 */
export function lakeTables(loaded: Described, read: ReadonlySet<string>): TableSpec[] {
  const { schemas } = loaded
  const events = [...schemas.values()].map(eventTable)
  const matches = [...schemas.values()].map(matchTable)
  const common = (events[0]?.columns ?? []).filter(({ name }) => name.startsWith('p_') && name !== 'p_enrichment')
  const named = namedLogTypes(loaded.content)
  for (const name of new Set([...read, ...named])) {
    if (schemas.has(name)) continue
    const plain = named.has(name) ? compiled(() => plainSchema(name)) : schemaOf(name, loaded)
    if (!plain) continue
    const mark = { fieldsIn: 'extra', ...(!read.has(name) && { unread: name }) }
    events.push({ ...withoutPlainField(eventTable(plain)), ...mark })
    matches.push({ ...withoutPlainField(matchTable(plain)), ...mark })
  }
  const views = (['logs', 'matches'] as const).map((database) => ({
    database,
    table: 'all',
    columns: common,
    timeColumn: 'p_event_time',
  }))
  return [...events, ...matches, ...views, SIGNALS, ...lookupSpecs(loaded.content.tables)]
}

/** A rule may name anything: a name that cannot be a log type has no table. */
function compiled(make: () => CompiledSchema): CompiledSchema | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

function withoutPlainField(spec: TableSpec): TableSpec {
  return { ...spec, columns: spec.columns.filter(({ name }) => name !== PLAIN_FIELD.name) }
}

/** Enabled correlation rules and their memory; `undefined` if there are none. */
export function correlationOf({ content }: LoadedContent, store: CorrelationStore): Correlation | undefined {
  const rules = content.correlationRules.map(({ rule }) => rule).filter(({ enabled }) => enabled)
  if (rules.length === 0) return undefined
  return { correlator: createCorrelator(rules), rules: new Map(rules.map((rule) => [rule.id, rule])), store }
}

/** Everything that alerts are raised for: what detection languages judge with, and correlation rules. */
export function alertingRules({ content, rules }: LoadedContent): ReadonlyMap<string, Rule> {
  const correlation = content.correlationRules.filter(({ rule }) => rule.enabled).map(({ rule }) => toRule(rule))
  return new Map([...rules, ...correlation.map((rule) => [rule.id, rule] as const)])
}
