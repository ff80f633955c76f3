import { createForwardingApp, forwarderOf } from '../api/forwarding-app.ts'
import { startServer } from '../api/server.ts'
import { starting } from '../api/starting.ts'
import type { Config } from '../config/config.ts'
import { startApiNode } from '../engine/api-node.ts'
import { processLog } from '../telemetry/log.ts'
import type { RunningNode } from './running-node.ts'
import { serverOptions } from './server-settings.ts'

/** Runs a node that only forwards to the active one. As in `serve`, the address is bound first. */
export async function serveApi(config: Config): Promise<RunningNode> {
  const log = processLog()
  let app: ReturnType<typeof createForwardingApp> | undefined
  const server = await startServer(
    (request, connection) => app?.fetch(request, connection) ?? starting(),
    serverOptions(config, log),
  )
  try {
    const node = await startApiNode(config)
    const forwarder = forwarderOf(node.node, node)
    app = createForwardingApp(node, forwarder, 'api', log)
    const active = node.active.current?.node
    log.info({ url: server.url, active }, `Caracal forwards to the active node as node ${node.node}.`)
    return {
      failed: new Promise(() => {}),
      async stop() {
        await server.close()
        forwarder.close()
        await node.stop()
      },
    }
  } catch (error) {
    await server.close(0)
    throw error
  }
}
