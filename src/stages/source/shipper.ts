import { z } from 'zod'
import { tokenOf } from '../../util/bearer.ts'
import { hasMoreOf } from '../../util/json-count.ts'
import { secretReference } from '../../util/secret.ts'
import { AFTER_BODY_MS, allBodies, bodyKeys, type Receiving } from './receive.ts'
import { RequestRefused } from './refusal.ts'
import { type IntakeDeps, type ListenTerms, sourceBase } from './source.ts'

/** Config of sources that speak the HTTP protocol of a shipper. */
export const shipperConfig = z.object({
  ...sourceBase,
  token: secretReference
    .optional()
    .describe('Reference to the token that senders must use. Default: the token in the data folder.'),
  ...bodyKeys,
})

type Settings = z.output<typeof shipperConfig>

/** What the server needs to know about such a source. */
export function shipperTerms({ token, body_timeout_ms }: Settings): ListenTerms {
  return { token, requestMs: body_timeout_ms + AFTER_BODY_MS }
}

/** How such a source reads bodies: with the limits of its config, from senders that have its token in any of the usual schemes. */
export function shipperReceiving(
  { max_body_bytes, body_timeout_ms }: Settings,
  { authorised }: IntakeDeps,
  types: Receiving['types'],
): Omit<Receiving, 'receivedMs'> {
  const auth = {
    begin(headers: Headers) {
      requireSender(headers, authorised)
      return {}
    },
  }
  return { maxBytes: max_body_bytes, timeoutMs: body_timeout_ms, memory: allBodies, types, auth }
}

/** Throws `RequestRefused` (401) if the headers do not contain the source's token. */
export function requireSender(headers: Headers, authorised: IntakeDeps['authorised']): void {
  if (isSender(headers, authorised)) return
  const advice = 'send the token of this source in the header Authorization (see the file `token` in the data folder)'
  throw new RequestRefused(401, `${headers.has('authorization') ? 'the token is wrong' : 'a token is needed'}: ${advice}`, {
    'www-authenticate': 'Basic realm="caracal", charset="UTF-8"',
  })
}

/** Whether the headers contain the source's token. */
export function isSender(headers: Headers, authorised: IntakeDeps['authorised']): boolean {
  return authorised(tokenOf(headers.get('authorization')))
}

/** A body of log records in JSON has fewer even at the largest size that is accepted unless configured otherwise. */
const MAX_CONTAINERS = 1_000_000

/** Throws `RequestRefused` (413) for a JSON body of millions of tiny values, whose parsing would stop all other requests for seconds. */
export function refuseTinyValues(body: Uint8Array): void {
  if (hasMoreOf(body, [0x7b, 0x5b], MAX_CONTAINERS))
    throw new RequestRefused(413, `the request has more than ${MAX_CONTAINERS} JSON objects and lists; split it`)
}

/** A JSON response. */
export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
}
