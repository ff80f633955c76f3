import { isObject } from '../../model/json.ts'
import { parseJson } from '../../util/json.ts'
import { RequestRefused } from './refusal.ts'

const VERSION = 'x-amz-firehose-protocol-version'
const MAX_DEPTH = 8
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** True for a delivery of Amazon Data Firehose to an HTTP endpoint. */
export function isFirehose(headers: Headers): boolean {
  return headers.has(VERSION)
}

/** The headers of a delivery with its access key where other senders put their token. */
export function withAccessKey(headers: Headers): Headers {
  const key = headers.get('x-amz-firehose-access-key')
  const all = new Headers(headers)
  if (key !== null && !headers.has('authorization')) all.set('authorization', `Bearer ${key}`)
  return all
}

/**
 * The data of the records of a delivery, `{"requestId":…,"timestamp":…,"records":[{"data":<Base64>}]}`
 * (https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html). Throws `RequestRefused`.
 */
export function recordsOf(body: Uint8Array): Buffer[] {
  const parsed = parseJson(Buffer.from(body.buffer, body.byteOffset, body.length).toString(), { maxDepth: MAX_DEPTH })
  const records = parsed.kind === 'ok' && isObject(parsed.value) ? parsed.value['records'] : undefined
  if (!Array.isArray(records)) throw new RequestRefused(400, 'Firehose: the body is not an object with a list `records`')
  return records.map((record, i) => {
    const data = isObject(record) ? record['data'] : undefined
    if (typeof data !== 'string' || !BASE64.test(data))
      throw new RequestRefused(400, `Firehose: record ${i} has no \`data\` in Base64`)
    return Buffer.from(data, 'base64')
  })
}

/** A response as Firehose requires it: it repeats the id of the request, and names the error if there is one. */
export function firehoseAnswer(
  headers: Headers,
  { status, nowMs, error }: { status: number; nowMs: number; error?: string },
): Response {
  const requestId = headers.get('x-amz-firehose-request-id') ?? ''
  const body = { requestId, timestamp: nowMs, ...(error !== undefined && { errorMessage: error }) }
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
}
