import type { Config } from '../../config/config.ts'
import type { TableKeeper } from '../../stages/enrich/keeper.ts'
import type { StateReader } from '../../state/read.ts'
import { contentPlaces } from '../content-places.ts'
import type { ContentReload } from '../content-reload.ts'
import type { Engine } from '../engine.ts'
import { mailerIn } from '../mail-route.ts'
import { SideWork } from '../side-work.ts'
import type { TableWork } from '../table-work/table-work.ts'
import type { PipelineThread } from '../threads.ts'
import { DashboardAuthoring } from './dashboards.ts'
import { ContentWriter } from './edit.ts'
import { RuleVersions } from './rule-versions.ts'
import { RuleAuthoring } from './rules.ts'
import type { SampleAnswer, SampleAsk } from './samples.ts'
import { SchemaAuthoring } from './schemas.ts'
import { type CheckQuery, SearchAuthoring } from './searches.ts'
import { TableAuthoring } from './tables.ts'
import type { Trial, TrialAsk } from './trial.ts'
import { UnknownFields } from './unknown-fields.ts'

export interface AuthoringDeps {
  readonly config: Config
  readonly cacheFolder: string
  readonly content: Pick<ContentReload, 'reload' | 'report'>
  readonly read: Pick<StateReader, 'historyOfFiles' | 'contentTexts'>
  readonly checkQuery: CheckQuery
  readonly query: Engine['query']
  readonly pipeline: PipelineThread
  readonly keeper: TableKeeper
  /** Reads versions of tables. */
  readonly work: TableWork
}

/** Content as people write it: read, tried out, and changed on disk. */
export interface Authoring {
  readonly rules: Pick<RuleAuthoring, 'text' | 'test' | 'try' | 'save' | 'create' | 'remove' | 'override'>
  readonly versions: Pick<RuleVersions, 'list' | 'get' | 'restore'>
  readonly schemas: Pick<SchemaAuthoring, 'text' | 'try' | 'save'>
  readonly unknownFields: Pick<UnknownFields, 'propose' | 'preview'>
  readonly searches: Pick<SearchAuthoring, 'text' | 'save' | 'remove'>
  readonly dashboards: Pick<DashboardAuthoring, 'text' | 'save' | 'remove'>
  readonly tables: Pick<TableAuthoring, 'editing' | 'upload' | 'edit' | 'create'>
}

/** Loading all content takes seconds on a busy machine; rules have their own limit per call, but there may be many tests. */
const MAX_TRIAL_MS = 120_000

export function createAuthoring(deps: AuthoringDeps): Authoring {
  const { config, cacheFolder, content, read, checkQuery, query, pipeline, keeper, work } = deps
  const trials = new SideWork<TrialAsk, Trial>({
    entry: 'engine/authoring/authoring-thread',
    name: 'caracal-authoring',
    makes: 'trials of content',
    maxMs: MAX_TRIAL_MS,
  })
  const samples = new SideWork<SampleAsk, SampleAnswer>({
    entry: 'engine/authoring/sample-thread',
    name: 'caracal-samples',
    makes: 'readings of samples',
    maxMs: MAX_TRIAL_MS,
  })
  const places = () => contentPlaces(config)
  const writer = new ContentWriter(content)
  const queries = () => [...content.report.savedQueries, ...content.report.scheduledQueries]
  const rules = new RuleAuthoring({
    rules: () => content.report.content.rules,
    places,
    writer,
    trial: (ask) => trials.run(async () => ({ ...ask, dataDir: config.data_dir, cacheFolder })),
  })
  const schemas = new SchemaAuthoring({
    schemas: () => content.report.content.schemaFiles,
    places,
    writer,
    samples: (ask) => samples.run(async () => ask),
  })
  return {
    rules,
    versions: new RuleVersions({ read, text: (ruleId) => rules.text(ruleId), save: (ask) => rules.save(ask) }),
    schemas,
    unknownFields: new UnknownFields({ text: (logType) => schemas.text(logType), query }),
    searches: new SearchAuthoring({
      items: queries,
      rules: () => content.report.content.rules,
      places,
      writer,
      check: checkQuery,
      canMail: () => mailerIn(config) !== undefined,
    }),
    dashboards: new DashboardAuthoring({
      items: () => content.report.dashboards,
      searches: () => new Set(queries().map(({ name }) => name)),
      places,
      writer,
      check: checkQuery,
    }),
    tables: new TableAuthoring({
      tables: () => content.report.tables,
      places,
      writer,
      files: (table) => pipeline.rpc.call('tableFiles', table),
      work,
      keeper,
    }),
  }
}
