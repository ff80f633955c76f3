import { forwarderOf } from '../api/forwarding-app.ts'
import { createIngestApp } from '../api/ingest-app.ts'
import { startServer } from '../api/server.ts'
import { starting } from '../api/starting.ts'
import type { Config } from '../config/config.ts'
import { startIngest } from '../engine/ingest.ts'
import type { IngestRoles } from '../engine/roles.ts'
import { processLog } from '../telemetry/log.ts'
import type { RunningNode } from './running-node.ts'
import { serverOptions } from './server-settings.ts'

/** Runs a node that receives, and forwards what is not for it if it has the role api as well. As in `serve`, the address is bound first. */
export async function serveIngest(config: Config, roles: IngestRoles): Promise<RunningNode> {
  const log = processLog()
  let app: ReturnType<typeof createIngestApp> | undefined
  const server = await startServer(
    (request, connection) => app?.fetch(request, connection) ?? starting(),
    serverOptions(config, log),
  )
  try {
    const node = await startIngest(config, roles)
    const forwarder = node.following && forwarderOf(node.node, node.following)
    app = createIngestApp(node, forwarder, log)
    log.info({ url: server.url, sources: [...node.intakes.keys()] }, `Caracal receives as node ${node.node}.`)
    return {
      failed: node.failed,
      async stop() {
        await server.close()
        forwarder?.close()
        await node.stop()
      },
    }
  } catch (error) {
    await server.close(0)
    throw error
  }
}
