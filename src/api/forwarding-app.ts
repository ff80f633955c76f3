import { resolve } from 'node:path'
import type { HttpBindings } from '@hono/node-server'
import { Hono, type MiddlewareHandler } from 'hono'
import type { ApiNode, Following } from '../engine/api-node.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { requireProgram } from './access/guard.ts'
import { requireHost } from './auth.ts'
import { answerError } from './errors.ts'
import { Forwarder } from './forwarder.ts'
import { starting } from './starting.ts'

/** A forwarder that follows the active node. */
export function forwarderOf(node: string, { active, trusted, metrics }: Following): Forwarder {
  const onOutcome = metrics.forwarded.bind(metrics)
  const forwarder = new Forwarder({ node, active: () => active.current, trusted, onOutcome })
  active.onLook(() => forwarder.follow())
  return forwarder
}

/** Has the active node answer. */
export function forwarded(forwarder: Forwarder): MiddlewareHandler<{ Bindings: HttpBindings }> {
  return ({ env: { incoming, outgoing } }) => forwarder.forward(incoming, outgoing)
}

/** What a node serves that is not active and forwards to the one that is: `/healthz` and `/metrics` are its own. */
export function createForwardingApp(node: ApiNode, forwarder: Forwarder, role: 'api' | 'standby', log: Log = processLog()) {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.onError((error, c) => answerError(error, c, log, [resolve(node.config.data_dir)]))
  app.use(requireHost(node.config))
  app.use('/metrics', requireProgram(node))
  app.get('/healthz', async (c) => {
    const active = node.active.current?.node
    if (role === 'standby') return active === node.node ? starting() : c.json({ status: 'standby', node: node.node, active })
    const isWell = node.troubles().length === 0 && (await forwarder.probe()) === undefined
    return c.json({ status: isWell ? 'ok' : 'failing', node: node.node, roles: ['api'], active }, isWell ? 200 : 503)
  })
  app.get('/metrics', async (c) =>
    c.body(await node.metrics.text(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  return app.all('*', forwarded(forwarder))
}
