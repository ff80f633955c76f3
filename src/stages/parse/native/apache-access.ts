import type { JsonObject } from '../../../model/json.ts'
import { type AccessLine, readAccessLine, readQuoted, splitRequest } from './access-line.ts'
import type { NativeParser } from './native.ts'

const COMMON = '203.0.113.7 - alice [19/Apr/2024:12:00:00 +0000] "GET /reports HTTP/1.1" 200 2326'

const exampleRecord: JsonObject = {
  remote_host_ip_address: '203.0.113.7',
  request_user: 'alice',
  request_time: '2024-04-19T12:00:00+00:00',
  request_method: 'GET',
  request_uri: '/reports',
  request_protocol: 'HTTP/1.1',
  response_status: 200,
  response_size: 2326,
}

/** Fields are named as in Panther's `Apache.AccessCommon`. */
export const apacheCommon: NativeParser = {
  type: 'apache-common',
  summary: 'Access logs of Apache in the formats `common` and, with a virtual host before it, `vhost_common`.',
  example: { texts: [COMMON], records: [exampleRecord] },
  parse(text) {
    const line = readAccessLine(text)
    return line === undefined || line.end < text.length ? undefined : recordOf(line)
  },
}

/** Fields are named as in Panther's `Apache.AccessCombined`. */
export const apacheCombined: NativeParser = {
  type: 'apache-combined',
  summary: 'Access logs of Apache in the formats `combined`, `vhost_combined` and `combinedio`.',
  example: {
    texts: [`www.example.com:443 ${COMMON} "https://example.com/start" "Mozilla/5.0 (X11; Linux x86_64)"`],
    records: [
      {
        ...exampleRecord,
        virtual_host: 'www.example.com',
        virtual_host_port: 443,
        referer: 'https://example.com/start',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
      },
    ],
  },
  parse(text) {
    const line = readAccessLine(text)
    const referer = line && readQuoted(text, line.end + 1)
    const agent = referer && readQuoted(text, referer.end + 1)
    if (agent === undefined) return undefined
    const record = recordOf(line!)
    if (referer!.value !== undefined) record['referer'] = referer!.value
    if (agent.value !== undefined) record['user_agent'] = agent.value
    if (agent.end < text.length) record['additional'] = text.slice(agent.end + 1)
    return record
  },
}

function recordOf(line: AccessLine): JsonObject {
  const record: JsonObject = { remote_host_ip_address: line.client, request_time: line.time }
  if (line.virtualHost !== undefined) addVirtualHost(line.virtualHost, record)
  if (line.ident !== undefined) record['client_identity_rfc_1413'] = line.ident
  if (line.user !== undefined) record['request_user'] = line.user
  const parts = splitRequest(line.request)
  if (parts !== undefined) {
    record['request_method'] = parts.method
    record['request_uri'] = parts.uri
    if (parts.protocol !== undefined) record['request_protocol'] = parts.protocol
  } else if (line.request !== undefined) record['request'] = line.request
  if (line.status !== undefined) record['response_status'] = line.status
  if (line.bytes !== undefined) record['response_size'] = line.bytes
  return record
}

function addVirtualHost(host: string, record: JsonObject): void {
  const colon = host.lastIndexOf(':')
  const port = /^\d{1,5}$/.test(host.slice(colon + 1)) && colon > 0 ? Number(host.slice(colon + 1)) : undefined
  record['virtual_host'] = port === undefined ? host : host.slice(0, colon)
  if (port !== undefined) record['virtual_host_port'] = port
}
