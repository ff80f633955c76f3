import { resolve } from 'node:path'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { IngestNode } from '../engine/ingest.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { requireProgram } from './access/guard.ts'
import { requireHost } from './auth.ts'
import { answerError } from './errors.ts'
import type { Forwarder } from './forwarder.ts'
import { problemResponse } from './problem.ts'
import { ingestRoutes, shipperAt } from './routes/ingest.ts'

/** What a node that receives serves: the sources' own URLs, `/healthz` and `/metrics`; the rest is forwarded if it has the role api as well. */
export function createIngestApp(node: IngestNode, forwarder?: Forwarder, log: Log = processLog()) {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.onError((error, c) => answerError(error, c, log, [resolve(node.config.data_dir)]))
  app.notFound(async (c) => {
    const answer = (await shipperAt(node, c, c.req.path)) ?? (await forwarder?.forward(c.env.incoming, c.env.outgoing))
    const message = `this node (${node.node}) only receives logs: the API is on the one that is active`
    return answer ?? problemResponse(404, 'not_found', message)
  })
  app.use(requireHost(node.config))
  app.use('/metrics', requireProgram(node))
  app.get('/healthz', async (c) => {
    const troubles = await node.troubles()
    const status = troubles.length > 0 ? 'failing' : 'ok'
    return c.json({ status, node: node.node, roles: node.roles }, troubles.length > 0 ? 503 : 200)
  })
  app.get('/metrics', async (c) =>
    c.body(await node.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  return app.route('/', ingestRoutes(node))
}
