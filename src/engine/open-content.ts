import { join } from 'node:path'
import type { Config, SourceConfig } from '../config/config.ts'
import { contentFolders } from '../config/content.ts'
import { riskSettings } from '../config/risk.ts'
import type { Rule } from '../model/rule.ts'
import type { TableWriter } from '../pipeline/table-writer.ts'
import type { MissedAddresses } from '../stages/enrich/live/missed-addresses.ts'
import { loadCache } from '../state/cache.ts'
import { correlationStore } from '../state/correlation.ts'
import type { StateDb } from '../state/db.ts'
import { riskStore } from '../state/risk.ts'
import { fromRoots } from '../util/host-paths.ts'
import { readsByLogType } from './blind/reads.ts'
import { closeDetectors, ranksOf } from './detectors.ts'
import { createGeneration, type MadeGeneration } from './generation.ts'
import { LiveTables } from './live-tables.ts'
import { MadeElsewhere } from './makers/made-elsewhere.ts'
import type { Makers } from './makers/makers.ts'
import { type ContentProblem, judgedRules, type LoadedContent, lakeTables, loadPath, usedQueries } from './path.ts'
import type { ContentReport } from './pipeline-calls.ts'
import { describeChildren, foldersApart } from './python-children.ts'
import { byName, queryNotices } from './queries.ts'
import { ruleViews } from './rule-views.ts'

export interface OpenContentDeps {
  readonly config: Config
  readonly sources: readonly SourceConfig[]
  readonly db: StateDb
  readonly now: () => number
  /** A rule went off or is on again. */
  readonly onOff: () => void
  /** A sentence: rules are judged more slowly than they could be. */
  readonly onSlower: (message: string) => void
  /** The threads that do the first half of the path, if it is not done in this one. */
  readonly makers?: Makers | undefined
  /** The owner of the tables that events write. */
  readonly writer: TableWriter
  /** Collects addresses that live tables lack. */
  readonly missed?: MissedAddresses | undefined
  /** Seconds that a step took in another thread. */
  readonly observe: (step: string, seconds: number) => void
  /** The content in force: unchanged parts are reused. */
  readonly before?: OpenContent | undefined
}

/** Loaded content with its rule processes running. */
export interface OpenContent {
  readonly loaded: LoadedContent
  readonly generation: MadeGeneration
  /** The generation as makers in other threads have it. */
  readonly made: MadeElsewhere | undefined
  readonly tables: LiveTables
  /** Everything that a detection language judges with, including disabled rules. */
  readonly judged: readonly Rule[]
  readonly report: ContentReport
  /** Ends the rule processes, except those shared with `kept`. */
  close(kept?: OpenContent): Promise<void>
}

/** Loads the content of the configuration. */
export function readContent({ config }: Pick<OpenContentDeps, 'config'>): Promise<LoadedContent> {
  return loadPath({ ...config, content: contentFolders(config) }, join(config.data_dir, 'content-cache'))
}

/** Makes loaded content ready: starts the processes that run its rules. */
export async function openContent(loaded: LoadedContent, deps: OpenContentDeps): Promise<OpenContent> {
  const { config, sources } = deps
  const apart = foldersApart({ ...config, content: contentFolders(config) })
  let made: MadeElsewhere | undefined
  const tables = new LiveTables(loaded, (table) => made?.putTable(table), deps.missed)
  const starting = startGeneration(loaded, tables, apart, deps)
  const queryTables = lakeTables(loaded, new Set(sources.flatMap(({ log_types }) => log_types)))
  // While the rule processes start.
  const [started, cannotRun] = await Promise.all([
    starting,
    queryNotices(loaded.content, { saved: byName(loaded.content.savedQueries), tables: queryTables }),
  ])
  made = started.made
  const { generation } = started
  const { detectors, correlation } = generation
  const shorten = fromRoots(loaded.roots)
  const short = ({ file, message }: ContentProblem) => ({ file: shorten(file), message: shorten(message) })
  const broken = [
    ...loaded.problems.map(short),
    ...(correlation?.correlator.problems ?? []).map((error) => ({ file: 'correlation', message: error.message })),
  ]
  const names = loaded.names.map(short)
  const rulesOff = detectors.flatMap((d) => d.setupErrors.map(({ ruleId, message }) => ({ id: ruleId, message })))
  return {
    loaded,
    generation,
    made,
    tables,
    judged: judgedRules(loaded.content),
    report: {
      generation: generation.hash,
      content: {
        rules: ruleViews(loaded.content),
        schemas: [...loaded.schemas.keys()].sort(),
        schemaFiles: loaded.content.schemas.map(({ name, file }) => ({ name, file })),
        tables: loaded.tables.size,
        problems: [...broken, ...names, ...rulesOff.map(({ id, message }) => ({ file: id, message }))],
        broken,
        names,
        rulesOff,
        notices: [...loaded.notices, ...cannotRun].map(shorten),
      },
      packs: loaded.packs,
      tables: [...loaded.tables.values()].map(({ definition }) => definition),
      lakeTables: queryTables,
      reads: readsByLogType({
        rules: loaded.rules.values(),
        schemas: loaded.schemas,
        dataModels: loaded.content.dataModels,
      }),
      queries: usedQueries(loaded),
      savedQueries: loaded.content.savedQueries,
      scheduledQueries: loaded.content.scheduledQueries,
      dashboards: loaded.content.dashboards,
      queryNotices: cannotRun,
      children: describeChildren(detectors, apart),
    },
    close: async (kept) => {
      await closeDetectors(generation.running, kept?.generation.running)
      await made?.close(kept?.made)
    },
  }
}

async function startGeneration(
  loaded: LoadedContent,
  tables: LiveTables,
  apart: string[] | undefined,
  { config, sources, db, now, onOff, onSlower, makers, observe, before, writer }: OpenContentDeps,
): Promise<{ readonly generation: MadeGeneration; readonly made: MadeElsewhere | undefined }> {
  const settings = riskSettings(config)
  const own = await createGeneration(loaded, {
    sources,
    tables,
    writer,
    parser: { maxRecordBytes: config.max_record_bytes, maxDepth: config.max_depth },
    memory: correlationStore(db),
    risk: settings && { settings, store: riskStore(db) },
    ...(before && { running: before.generation.running }),
    detection: {
      timeoutMs: config.rule_timeout_ms,
      apart,
      compiledFolder: join(config.data_dir, 'python'),
      cache: { load: () => loadCache(db, now()) },
      onOff,
      prefilter: { ruleErrors: config.rule_errors, shadowEvery: config.shadow_every, onProblem: onSlower },
    },
    ...(makers && { share: 'in-order' }),
  })
  if (!makers) return { generation: own, made: undefined }
  try {
    const made = await MadeElsewhere.open({ makers, loaded, tables, own, sources, apart, before: before?.made, onOff, observe })
    const ranks = ranksOf(loaded.content)
    const remembering = { detectors: own.detectors, rankOf: (ruleId: string) => ranks.get(ruleId) ?? -1 }
    return { generation: { ...own, detectors: [made.rules, ...own.detectors], remembering, making: made }, made }
  } catch (error) {
    await closeDetectors(own.running, before?.generation.running)
    throw error
  }
}
