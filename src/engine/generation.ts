import type { Filter, Sampling } from '../model/filter.ts'
import type { Rule } from '../model/rule.ts'
import type { Generation, SourceBinding, Writing } from '../pipeline/generation.ts'
import type { Risk } from '../pipeline/risk/assess.ts'
import { RISK_RULE } from '../pipeline/risk/risk-rule.ts'
import type { TableWriter, WrittenTables } from '../pipeline/table-writer.ts'
import type { CorrelationStore } from '../stages/detect/correlation/store.ts'
import type { DetectorOptions } from '../stages/detect/language.ts'
import type { Table } from '../stages/enrich/table.ts'
import { createFindRows } from '../stages/enrich/written/found-rows.ts'
import type { ParserOptions } from '../stages/parse/parser.ts'
import { createParser } from '../stages/parse/step.ts'
import { fromRoots } from '../util/host-paths.ts'
import { type ContentParts, contentParts, hashOf, versionOf } from './content-parts.ts'
import { type RunningDetector, type Share, startDetectors } from './detectors.ts'
import type { LiveTables } from './live-tables.ts'
import { alertingRules, correlationOf, type LoadedContent, parseSource } from './path.ts'

/** A source's configuration as far as it concerns content. */
export interface ContentSource {
  readonly id: string
  readonly label?: string | undefined
  readonly log_types: readonly string[]
  /** Table name → file that replaces its rows for this source. */
  readonly tables?: Readonly<Record<string, string>>
  readonly filters?: readonly Filter[]
  readonly sampling?: Sampling | undefined
  /** Log types by the names that senders give them, if the source has such. */
  readonly sourcetypes?: Readonly<Record<string, string>>
}

export interface GenerationDeps {
  readonly sources: readonly ContentSource[]
  readonly tables: LiveTables
  readonly parser: ParserOptions
  readonly detection: Omit<DetectorOptions, 'all'>
  /** The owner of the tables that events write. Absent: they are neither written nor read. */
  readonly writer?: TableWriter | undefined
  /** What correlation rules remember. */
  readonly memory: CorrelationStore
  /** How matches add to the risk of entities. Absent: they do not. */
  readonly risk?: Risk | undefined
  /** Running detectors: those whose content is unchanged are reused. */
  readonly running?: readonly RunningDetector[]
  /** The rules that the generation judges with in this thread. Absent: all. */
  readonly share?: Share
}

/** A generation, and what distinguishes it from another. */
export interface MadeGeneration extends Generation {
  readonly parts: ContentParts
  readonly running: readonly RunningDetector[]
  /** Tables specific to a source, by source. */
  readonly pinned: ReadonlyMap<string, readonly Table[]>
}

/**
 * Makes loaded content ready to run: binds sources to their schemas and tables, and starts the detection languages. Rejects with
 * `ConfigError` for a source whose log type has no schema or whose table cannot be built; nothing is left running then.
 */
export async function createGeneration(loaded: LoadedContent, deps: GenerationDeps): Promise<MadeGeneration> {
  const { sources, tables, parser, detection, memory, writer, risk } = deps
  const bindings = new Map<string, SourceBinding>()
  const pinned = new Map<string, readonly Table[]>()
  for (const source of sources) {
    const own = await tables.pinnedFor(source)
    pinned.set(source.id, own)
    bindings.set(source.id, { parse: parseSource(source, loaded), enricher: tables.enricherWith(own) })
  }
  const written = writer && writtenTables(loaded)
  if (written) await writer.open(written)
  const shorten = fromRoots(loaded.roots)
  const parts = contentParts(loaded.content, sources)
  const running = await startDetectors(loaded, detection, deps.running, deps.share)
  return {
    hash: hashOf(parts),
    parts,
    parser: createParser(parser),
    rules: new Map([
      ...(risk ? [[RISK_RULE.id, RISK_RULE] as const] : []),
      ...[...alertingRules(loaded)].map(([id, rule]) => [id, shown(rule, shorten)] as const),
    ]),
    risk,
    correlation: correlationOf(loaded, memory),
    written: written && writingOf(writer, written),
    sources: bindings,
    pinned,
    running,
    detectors: running.map(({ detector }) => detector),
  }
}

function writingOf(writer: TableWriter, tables: WrittenTables): Writing {
  return { tables, begin: (receivedMs) => writer.begin(tables, receivedMs), latest: () => writer.latest(tables) }
}

/** The tables that events write; `undefined`: there are none. */
export function writtenTables({ tables }: LoadedContent): WrittenTables | undefined {
  const definitions = [...tables.values()].flatMap(({ written }) => written ?? [])
  return definitions.length > 0 ? { definitions, find: createFindRows(definitions) } : undefined
}

/** A rule as alerts show it: with its version, and its files relative to their content folder. */
function shown(rule: Rule, shorten: (text: string) => string): Rule {
  const { file, source } = rule
  return { ...rule, version: versionOf(rule), file: shorten(file), source: { ...source, file: shorten(source.file) } }
}
