import type { Rule } from '../model/rule.ts'
import type { Content } from '../packs/content.ts'
import type { Generation, SourceBinding } from '../pipeline/generation.ts'
import { toRule } from '../stages/detect/correlation/finding.ts'
import type { CorrelationStore } from '../stages/detect/correlation/store.ts'
import type { DetectorOptions } from '../stages/detect/language.ts'
import type { Table } from '../stages/enrich/table.ts'
import type { ParserOptions } from '../stages/parse/parser.ts'
import { createParser } from '../stages/parse/step.ts'
import { hash16 } from '../util/hash.ts'
import type { LiveTables } from './live-tables.ts'
import { alertingRules, correlationOf, type LoadedContent, parseSource, startDetectors } from './path.ts'

/** What the configuration says of a source about content. */
export interface ContentSource {
  readonly id: string
  readonly label?: string | undefined
  readonly log_types: readonly string[]
  /** Table name → file that replaces its rows for this source. */
  readonly tables?: Readonly<Record<string, string>>
}

export interface GenerationDeps {
  readonly sources: readonly ContentSource[]
  readonly tables: LiveTables
  readonly parser: ParserOptions
  readonly detection: Omit<DetectorOptions, 'all'>
  /** What correlation rules remember. */
  readonly memory: CorrelationStore
}

/**
 * Makes loaded content ready to run: binds sources to their schemas and tables, and starts the detection languages. Rejects with
 * `ConfigError` for a source whose log type has no schema or whose table cannot be built; nothing is left running then.
 */
export async function createGeneration(loaded: LoadedContent, deps: GenerationDeps): Promise<Generation> {
  const { sources, tables, parser, detection, memory } = deps
  const bindings = new Map<string, SourceBinding>()
  for (const source of sources) {
    const pinned: Table[] = []
    for (const [name, path] of Object.entries(source.tables ?? {}))
      pinned.push(await tables.build(name, path, undefined, undefined))
    bindings.set(source.id, { parse: parseSource(source, loaded), enricher: tables.enricherWith(pinned) })
  }
  return {
    hash: hashOf(loaded.content, sources),
    parser: createParser(parser),
    rules: new Map([...alertingRules(loaded)].map(([id, rule]) => [id, { ...rule, version: versionOf(rule) }])),
    correlation: correlationOf(loaded, memory),
    sources: bindings,
    detectors: await startDetectors(loaded, detection),
  }
}

/** A hash of a rule's metadata and code; where its files lie and how it is tested do not count. */
export function versionOf(rule: Rule): string {
  const { file, tests, source, version, ...item } = rule
  return hash16(textOf(item), source.language, source.code, version ?? '')
}

/** A hash of all content and of what sources say about it. */
function hashOf(content: Content, sources: readonly ContentSource[]): string {
  const { rules, scheduledRules, policies } = content
  const parts = [
    ...content.schemas.map(({ name, document }) => ['schema', name, document]),
    ...content.tables.map(({ name, document }) => ['table', name, document]),
    ...[...rules, ...scheduledRules, ...policies].map((rule) => ['rule', rule.id, versionOf(rule)]),
    ...content.correlationRules.map(({ rule }) => ['correlation', rule.id, rule.enabled, versionOf(toRule(rule))]),
    ...content.helpers.map(({ name, code }) => ['helper', name, code]),
    ...content.dataModels.map(({ id, logTypes, mappings, source }) => ['data model', id, logTypes, mappings, source?.code]),
    ...content.scheduledQueries.map(({ file, ...query }) => ['scheduled query', query]),
    ...content.savedQueries.map(({ file, ...query }) => ['saved query', query]),
    ...sources.map(({ id, label, log_types, tables = {} }) => ['source', id, label, log_types, tables]),
  ]
  return hash16(...parts.map(textOf))
}

/** Documents hold integers of any size. */
function textOf(part: unknown): string {
  return JSON.stringify(part, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
