import { MessageChannel } from 'node:worker_threads'
import type { Config } from '../config/config.ts'
import { createChdbLake } from '../stages/store/chdb.ts'
import type { Lake } from '../stages/store/lake.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { Rpc } from '../util/rpc.ts'
import { Events } from './events.ts'
import { mainCalls } from './main-calls.ts'
import { Pipeline, type PipelineOptions } from './pipeline.ts'
import type { MainCalls, PipelineCalls } from './pipeline-calls.ts'
import type { SpoolCalls, SpoolNews, SpoolReads } from './spool-calls.ts'
import { SpoolServer } from './spool-server.ts'

/** A pipeline in this thread instead of its usual one, with its neighbours. `ensure` wraps the lake's; `workers` are those that there are. */
export async function openPipeline(
  config: Config,
  ensure?: (lake: Lake) => Lake['ensure'],
  workers?: PipelineOptions['workers'],
) {
  const lake = await createChdbLake({ dataDir: config.data_dir, max_query_ms: 60_000, max_rows: 1000 })
  const toPipeline = new MessageChannel()
  const toSpool = new MessageChannel()
  const toReader = new MessageChannel()
  const news = new Rpc<SpoolNews, SpoolReads>(toReader.port1)
  const server = new SpoolServer({ dataDir: config.data_dir, maxBytes: 1e9, maxSourceBytes: 1e9 }, news)
  news.serve(server.reads)
  new Rpc<Record<never, never>, SpoolCalls>(toSpool.port2, server.calls)
  const spool = new Rpc<SpoolCalls>(toSpool.port1)
  const events = new Events()
  const asked = {
    ensure: ensure?.(lake) ?? lake.ensure.bind(lake),
    store: lake.store.bind(lake),
    query: lake.query.bind(lake),
  }
  const handlers = mainCalls({ lake: asked, events, metrics: createMetrics() })
  const pipeline = new Rpc<PipelineCalls, MainCalls>(toPipeline.port1, handlers)
  const main = new Rpc<MainCalls, PipelineCalls>(toPipeline.port2)
  const opened = Pipeline.open(
    { config, sources: config.sources, baseUrl: 'http://x', ...(workers && { workers }) },
    main,
    toReader.port2,
  )
  opened.then((made) => main.serve(made)).catch(() => {})
  const close = async () => {
    await spool.call('close')
    await lake.close()
    for (const { port1 } of [toPipeline, toSpool, toReader]) port1.close()
  }
  return { opened, pipeline, spool, lake, events, close }
}
