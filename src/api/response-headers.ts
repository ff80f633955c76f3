import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** Responses are data: browsers must not sniff the type, cache them, frame them in another page, or tell other sites their URL. */
const HEADERS = Object.entries({
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
})

/** Sets the headers of every response, before it is known which it will be; a route may replace them. */
export function setResponseHeaders(server: Server): void {
  server.prependListener('request', (_: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of HEADERS) response.setHeader(name, value)
  })
}

/** Removes the path at which a reverse proxy offers this server, if it passes it on. `prefix` is `/siem`, or empty. */
export function removePrefix(server: Server, prefix: string): void {
  if (prefix === '') return
  server.prependListener('request', (request: IncomingMessage) => {
    const { url = '' } = request
    if (url === prefix || url.startsWith(`${prefix}?`)) request.url = `/${url.slice(prefix.length)}`
    else if (url.startsWith(`${prefix}/`)) request.url = url.slice(prefix.length)
  })
}
