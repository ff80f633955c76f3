import type { ActiveNode } from '../model/node.ts'
import { problemResponse } from './problem.ts'

/**
 * What a node that waits for another one answers: at `/healthz` that it is well, everywhere else where to go instead. Load balancers send
 * callers to nodes whose `/healthz` says `ok` or `degraded`.
 */
export function standbyResponse(request: Request, node: string, active: ActiveNode): Response {
  if (new URL(request.url).pathname === '/healthz')
    return Response.json({ status: 'standby', node, active: active.node }, { headers: { 'cache-control': 'no-store' } })
  const at = active.url === undefined ? active.node : `${active.node}, at ${active.url}`
  return problemResponse(503, 'standby', `this node is a standby; the active one is ${at}`, { 'retry-after': '5' })
}
