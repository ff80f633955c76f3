import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { contentFolders } from '../../config/content.ts'
import type { Event } from '../../model/event.ts'
import type { BacktestReplay, ReplayAsk, RuleComparison } from '../../model/replay.ts'
import type { Content } from '../../packs/content.ts'
import type { Generation, SourceBinding } from '../../pipeline/generation.ts'
import { STORED } from '../../pipeline/rejudge/stored-events.ts'
import { createEnricher } from '../../stages/enrich/enricher.ts'
import type { Enricher, Table } from '../../stages/enrich/table.ts'
import { versionOf } from '../content-parts.ts'
import { closeDetectors, type RunningDetector, startDetectors } from '../detectors.ts'
import type { OpenContent } from '../open-content.ts'
import type { LoadedContent } from '../path.ts'
import { foldersApart } from '../python-children.ts'
import { emptyComparison, loadBacktest } from './backtest-content.ts'
import { openPastTables, type PastTables } from './past-tables.ts'

/** What a replay judges with: the content in force, in separate processes. */
export interface Judging {
  readonly content: OpenContent
  readonly generation: Generation
  /** Table → version that events are joined with. */
  readonly tables: Readonly<Record<string, string>>
  /** What a person should know about these. */
  readonly notes: ReadonlyMap<string, string>
  /** Of a backtest: what the content is compared with, and the rules that differ. */
  readonly against?: { readonly generation: Generation; readonly comparison: readonly RuleComparison[] } | undefined
  /** Evaluations in progress reject. */
  close(): Promise<void>
}

const NOTHING_PAST: PastTables = { tables: [], notes: new Map() }

/**
 * Starts the rules that judge a replay. They run apart from the live ones, with a separate cache: old events neither delay live events nor
 * affect how they are judged. Correlation rules do not take part.
 */
export async function openJudging(content: OpenContent, ask: ReplayAsk, config: Config): Promise<Judging> {
  const { loaded, generation } = content
  const asOfMs = ask.kind === 'events' || ask.kind === 'backtest' ? ask.asOfMs : undefined
  const past = asOfMs === undefined ? NOTHING_PAST : await openPastTables(loaded, asOfMs, config.data_dir)
  if (ask.kind === 'backtest') return openBacktest(content, ask, config, past)
  const wanted = new Set(ask.kind === 'dead-letters' ? [] : ask.rules)
  const detectors = await start(loaded, only(loaded.content, wanted), config)
  let closed: Promise<void> | undefined
  const pastVersions = Object.fromEntries(past.tables.map(({ name, version }) => [name, version]))
  return {
    content,
    tables: { ...content.tables.versions, ...pastVersions },
    notes: new Map([...past.notes, ...writtenNotes(loaded)]),
    generation: {
      hash: generation.hash,
      parser: generation.parser,
      rules: generation.rules,
      detectors: detectors.map(({ detector }) => detector),
      correlation: undefined,
      sources: ask.kind === 'dead-letters' ? generation.sources : new Map([[STORED, storedBinding(content, past.tables)]]),
    },
    close() {
      closed ??= closeDetectors(detectors)
      return closed
    },
  }
}

/** The rules of both contents that differ. Both judge with the tables and sources in force. */
async function openBacktest(content: OpenContent, ask: BacktestReplay, config: Config, past: PastTables): Promise<Judging> {
  const { generation, loaded, tables } = content
  const { contents, changed, notes } = await loadBacktest(ask, content, config)
  const sources = new Map([[STORED, storedBinding(content, past.tables)]])
  const detectors: RunningDetector[] = []
  const side = async (which: 'before' | 'after'): Promise<Generation> => {
    const rules = [...changed.values()].flatMap((sides) => sides[which] ?? [])
    const ids = new Set(rules.map(({ id }) => id))
    // An empty set would mean all.
    const own = ids.size === 0 ? [] : await start(contents[which], only(contents[which].content, ids), config)
    detectors.push(...own)
    return {
      hash: generation.hash,
      parser: generation.parser,
      rules: new Map(rules.map((rule) => [rule.id, { ...rule, version: versionOf(rule) }])),
      detectors: own.map(({ detector }) => detector),
      correlation: undefined,
      sources,
    }
  }
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= closeDetectors(detectors)
    return closed
  }
  try {
    const before = await side('before')
    const pastVersions = Object.fromEntries(past.tables.map(({ name, version }) => [name, version]))
    return {
      content,
      tables: { ...tables.versions, ...pastVersions },
      notes: new Map([...past.notes, ...writtenNotes(loaded), ...notes]),
      against: { generation: before, comparison: emptyComparison({ changed }) },
      generation: await side('after'),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function start({ roots }: LoadedContent, content: Content, config: Config): Promise<RunningDetector[]> {
  return startDetectors(
    { content, roots },
    {
      timeoutMs: config.rule_timeout_ms,
      apart: foldersApart({ ...config, content: contentFolders(config) }),
      compiledFolder: join(config.data_dir, 'python'),
      lazy: true,
      prefilter: { ruleErrors: config.rule_errors, shadowEvery: config.shadow_every },
    },
  )
}

/** Tables that events write have no part in a replay, which would write the past over the present. */
function writtenNotes({ tables }: LoadedContent): [string, string][] {
  const written = [...tables].filter(([, loaded]) => loaded.written)
  return written.map(([name]) => [
    `table ${name}`,
    `Events write table ${name} as they arrive, so this replay neither joins it to events nor writes it.`,
  ])
}

/** Judges parsed records, or the wanted part of them. */
function only(content: Content, wanted: ReadonlySet<string>): Content {
  const isWanted = ({ id }: { readonly id: string }) => wanted.size === 0 || wanted.has(id)
  return { ...content, rules: content.rules.filter(isWanted), policies: content.policies.filter(isWanted), scheduledRules: [] }
}

/** Stored events of any source: each is joined with the tables for its own source, of which `past` replace those in force. */
function storedBinding({ generation, tables }: OpenContent, past: readonly Table[]): SourceBinding {
  const ofAny = tables.enricherWith(past)
  const bySource = new Map(
    [...generation.sources].map(([id, { enricher }]) => {
      const pinned = generation.pinned.get(id) ?? []
      return [id, past.length === 0 ? enricher : tables.enricherWith([...past, ...pinned])] as const
    }),
  )
  // What rules look up in the past is not asked about.
  const replaced = new Set(past.map(({ name }) => name))
  const ofRules = () =>
    createEnricher([...tables.inForce.filter(({ name }) => !replaced.has(name)), ...past], undefined, tables.absent)
  const enricher = (): Enricher => {
    const of = (sourceId: string) => (bySource.get(sourceId) ?? ofAny)()
    return {
      enrich(schema, events, options) {
        const eventsOf = new Map<string, Event[]>()
        for (const event of events) {
          const own = eventsOf.get(event.p_source_id)
          if (own) own.push(event)
          else eventsOf.set(event.p_source_id, [event])
        }
        for (const [sourceId, own] of eventsOf) of(sourceId).enrich(schema, own, { ...options, isPast: true })
      },
      rows: ofRules().rows,
      rowsAt: (atMs) => ofRules().rowsAt(atMs),
    }
  }
  return { parse: { id: STORED, label: STORED, schemas: [], isNamed: false, logType: undefined }, enricher }
}
