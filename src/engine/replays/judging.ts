import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { contentFolders } from '../../config/content.ts'
import type { Event } from '../../model/event.ts'
import type { ReplayAsk } from '../../model/replay.ts'
import type { Content } from '../../packs/content.ts'
import type { Generation, SourceBinding } from '../../pipeline/generation.ts'
import { STORED } from '../../pipeline/rejudge/stored-events.ts'
import { createEnricher } from '../../stages/enrich/enricher.ts'
import type { Enricher } from '../../stages/enrich/table.ts'
import { closeDetectors, startDetectors } from '../detectors.ts'
import type { OpenContent } from '../open-content.ts'
import { foldersApart } from '../python-children.ts'

/** What a replay judges with: the content in force, in separate processes. */
export interface Judging {
  readonly content: OpenContent
  readonly generation: Generation
  /** Evaluations in progress reject. */
  close(): Promise<void>
}

/**
 * Starts the rules that judge a replay. They run apart from the live ones, with a separate cache: old events neither delay live events nor
 * affect how they are judged. Correlation rules do not take part.
 */
export async function openJudging(content: OpenContent, ask: ReplayAsk, config: Config): Promise<Judging> {
  const { loaded, generation } = content
  const wanted = new Set(ask.kind === 'dead-letters' ? [] : ask.rules)
  const detectors = await startDetectors(
    { content: only(loaded.content, wanted), roots: loaded.roots },
    {
      timeoutMs: config.rule_timeout_ms,
      apart: foldersApart({ ...config, content: contentFolders(config) }),
      compiledFolder: join(config.data_dir, 'python'),
      lazy: true,
      prefilter: { ruleErrors: config.rule_errors, shadowEvery: config.shadow_every },
    },
  )
  let closed: Promise<void> | undefined
  return {
    content,
    generation: {
      hash: generation.hash,
      parser: generation.parser,
      rules: generation.rules,
      detectors: detectors.map(({ detector }) => detector),
      correlation: undefined,
      sources: ask.kind === 'dead-letters' ? generation.sources : new Map([[STORED, storedBinding(content)]]),
    },
    close() {
      closed ??= closeDetectors(detectors)
      return closed
    },
  }
}

/** Judges parsed records, or the wanted part of them. */
function only(content: Content, wanted: ReadonlySet<string>): Content {
  const isWanted = ({ id }: { readonly id: string }) => wanted.size === 0 || wanted.has(id)
  return { ...content, rules: content.rules.filter(isWanted), policies: content.policies.filter(isWanted), scheduledRules: [] }
}

/** Stored events of any source: each is joined with the tables in force for its own source. */
function storedBinding({ generation, tables }: OpenContent): SourceBinding {
  const ofAny = tables.enricherWith([])
  // What rules look up in the past is not asked about.
  const past = () => createEnricher(tables.inForce)
  const enricher = (): Enricher => {
    const of = (sourceId: string) => (generation.sources.get(sourceId)?.enricher ?? ofAny)()
    return {
      enrich(schema, events, options) {
        const bySource = new Map<string, Event[]>()
        for (const event of events) {
          const own = bySource.get(event.p_source_id)
          if (own) own.push(event)
          else bySource.set(event.p_source_id, [event])
        }
        for (const [sourceId, own] of bySource) of(sourceId).enrich(schema, own, { ...options, isPast: true })
      },
      rows: past().rows,
      rowsAt: (atMs) => past().rowsAt(atMs),
    }
  }
  return { parse: { id: STORED, label: STORED, schemas: [], isNamed: false, logType: undefined }, enricher }
}
