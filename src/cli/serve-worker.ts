import { startServer } from '../api/server.ts'
import { starting } from '../api/starting.ts'
import { createWorkerApp } from '../api/worker-app.ts'
import type { Config } from '../config/config.ts'
import { startWorker, type WorkerNodeHere } from '../engine/worker.ts'
import { processLog } from '../telemetry/log.ts'
import type { RunningNode } from './running-node.ts'
import { serverOptions } from './server-settings.ts'

/** Runs a node that only judges. As in `serve`, the address is bound first. */
export async function serveWorker(config: Config): Promise<RunningNode> {
  const log = processLog()
  let node: WorkerNodeHere | undefined
  let app: ReturnType<typeof createWorkerApp> | undefined
  const server = await startServer((request, connection) => app?.fetch(request, connection) ?? starting(), {
    ...serverOptions(config, log),
    onUpgrade: (request, socket, head) => (node ? void node.upgrade(request, socket, head) : socket.destroy()),
  })
  try {
    node = await startWorker(config)
    app = createWorkerApp(node, log)
    log.info({ url: server.url, threads: node.threads.max }, `Caracal judges as node ${node.node} once the active one asks.`)
    const { stop } = node
    return {
      failed: new Promise(() => {}),
      async stop() {
        await stop()
        await server.close()
      },
    }
  } catch (error) {
    await server.close(0)
    throw error
  }
}
