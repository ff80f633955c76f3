import { resolve } from 'node:path'
import { Hono } from 'hono'
import type { WorkerNodeHere } from '../engine/worker.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { requireProgram } from './access/guard.ts'
import { requireHost } from './auth.ts'
import { answerError } from './errors.ts'
import { problemResponse } from './problem.ts'

/** What a node that only judges serves: `/healthz` and `/metrics`. The active node speaks to it in another protocol. */
export function createWorkerApp(node: WorkerNodeHere, log: Log = processLog()): Hono {
  const app = new Hono()
  app.onError((error, c) => answerError(error, c, log, [resolve(node.config.data_dir)]))
  app.notFound(() => {
    const message = `this node (${node.node}) only judges for the active one, where the API is`
    return problemResponse(404, 'not_found', message)
  })
  app.use(requireHost(node.config))
  app.use('/metrics', requireProgram(node))
  app.get('/healthz', (c) => {
    const troubles = node.troubles()
    const status = troubles.length > 0 ? 'failing' : 'ok'
    return c.json({ status, node: node.node, roles: ['worker'], threads: node.threads }, troubles.length > 0 ? 503 : 200)
  })
  app.get('/metrics', async (c) =>
    c.body(await node.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  return app
}
