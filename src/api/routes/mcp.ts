import { Hono } from 'hono'
import { version } from '../../util/version.ts'
import type { CallApi } from '../mcp/server.ts'
import type { Problem } from '../problem.ts'

/** Largest message. */
const MAX_BYTES = 256 * 1024

const OF_BODY = [
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'accept',
  'if-match',
  'if-none-match',
  'idempotency-key',
]

/** Serves a request to a path of the app with the caller's rights. */
type Serve = (path: string, init: RequestInit, env: object) => Response | Promise<Response>

/**
 * The Model Context Protocol over HTTP: `/mcp` with the tools that read, `/mcp/write` with those that change alerts, too. Each tool is a call of
 * the API with the caller's own token, so that nobody reads or changes more in this way than in any other.
 */
export function mcpRoutes(serve: Serve): Hono {
  const app = new Hono()
  for (const [path, writes] of [
    ['/mcp', false],
    ['/mcp/write', true],
  ] as const)
    app.post(path, async (c) => {
      const callApi: CallApi = async ({ method, path: of, body }) => {
        // Who calls and from where is the same; the body is another.
        const headers = new Headers(c.req.raw.headers)
        for (const name of OF_BODY) headers.delete(name)
        if (body) headers.set('content-type', 'application/json')
        const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
        const response = await serve(new URL(`/api/v1/${of}`, c.req.url).href, init, c.env as object)
        const text = await response.text()
        if (response.ok) return text
        throw new Error((JSON.parse(text) as Problem).detail)
      }
      // Loaded with the first call, since most servers never get one.
      const [{ createMcpHandler }, { mcpServer }] = await Promise.all([
        import('@modelcontextprotocol/server'),
        import('../mcp/server.ts'),
      ])
      const factory = () => mcpServer(callApi, { version: version(), writes })
      const handler = createMcpHandler(factory, { responseMode: 'json', maxSubscriptions: 0, maxRequestBodySize: MAX_BYTES })
      return handler.fetch(c.req.raw)
    })
  return app
}
