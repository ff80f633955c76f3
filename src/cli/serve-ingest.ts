import { createIngestApp } from '../api/ingest-app.ts'
import { problemResponse } from '../api/problem.ts'
import { startServer } from '../api/server.ts'
import type { Config } from '../config/config.ts'
import { startIngest } from '../engine/ingest.ts'
import { processLog } from '../telemetry/log.ts'
import type { RunningNode } from './running-node.ts'
import { serverOptions } from './server-settings.ts'

/** Runs a node that only receives. As in `serve`, the address is bound first. */
export async function serveIngest(config: Config): Promise<RunningNode> {
  const log = processLog()
  let app: ReturnType<typeof createIngestApp> | undefined
  const starting = () => problemResponse(503, 'starting', 'Caracal is starting; try again in a moment', { 'retry-after': '2' })
  const server = await startServer(
    (request, connection) => app?.fetch(request, connection) ?? starting(),
    serverOptions(config, log),
  )
  try {
    const node = await startIngest(config)
    app = createIngestApp(node, log)
    log.info({ url: server.url, sources: [...node.intakes.keys()] }, `Caracal receives as node ${node.node}.`)
    return {
      failed: node.failed,
      async stop() {
        await server.close()
        await node.stop()
      },
    }
  } catch (error) {
    await server.close(0)
    throw error
  }
}
