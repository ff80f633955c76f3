import { readAccessLine, readQuoted, splitRequest } from './access-line.ts'
import type { NativeParser } from './native.ts'

/** Fields of `combined` are named as in Panther's `Nginx.Access`. */
export const nginxAccess: NativeParser = {
  type: 'nginx-access',
  summary: 'Access logs of nginx in the format `combined`, also with a host name before it or further fields after it.',
  example: {
    texts: [
      String.raw`192.0.2.10 - - [19/Apr/2024:12:00:00 +0200] "GET /a?q=\x22x\x22 HTTP/1.1" 200 162 "-" "curl/8.5.0"`,
      String.raw`192.0.2.11 - - [19/Apr/2024:12:00:01 +0200] "\x16\x03\x01\x00\xEE" 400 157 "-" "-"`,
    ],
    records: [
      {
        remoteAddr: '192.0.2.10',
        time: '2024-04-19T12:00:00+02:00',
        request: 'GET /a?q="x" HTTP/1.1',
        requestMethod: 'GET',
        requestUri: '/a?q="x"',
        serverProtocol: 'HTTP/1.1',
        status: 200,
        bodyBytesSent: 162,
        httpUserAgent: 'curl/8.5.0',
      },
      {
        remoteAddr: '192.0.2.11',
        time: '2024-04-19T12:00:01+02:00',
        request: String.raw`\x16\x03\x01\x00\xEE`,
        status: 400,
        bodyBytesSent: 157,
      },
    ],
  },
  parse(text) {
    const line = readAccessLine(text)
    const referer = line && readQuoted(text, line.end + 1)
    const agent = referer && readQuoted(text, referer.end + 1)
    if (agent === undefined) return undefined
    const { client, time, virtualHost, user, request, status, bytes } = line!
    const parts = splitRequest(request)
    // The format `main` of nginx's packages goes on with "$http_x_forwarded_for"; other fields are site specific.
    const forwarded = agent.end < text.length ? readQuoted(text, agent.end + 1) : undefined
    const end = forwarded?.end ?? agent.end
    // All records have the same keys, so that they are made and read fast; a value that is not there is `undefined`.
    return {
      remoteAddr: client,
      time,
      host: virtualHost,
      remoteUser: user,
      request,
      requestMethod: parts?.method,
      requestUri: parts?.uri,
      serverProtocol: parts?.protocol,
      status,
      bodyBytesSent: bytes,
      httpReferer: referer!.value,
      httpUserAgent: agent.value,
      httpXForwardedFor: forwarded?.value,
      additional: end + 1 < text.length ? text.slice(end + 1) : undefined,
    }
  },
}
