import { createHmac, type Hmac } from 'node:crypto'
import { z } from 'zod'
import { basicOf, bearerOf, sameSecret } from '../../util/bearer.ts'
import { type SecretReference, secretReference } from '../../util/secret.ts'
import { RequestRefused } from './refusal.ts'

const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'the name of an HTTP header')

/** How senders prove who they are, other than with a bearer token. */
export const senderAuth = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('basic'),
    username: z
      .string()
      .regex(/^[^:]+$/, 'a name without a colon')
      .describe('User name.'),
    password: secretReference.describe('Reference to the password.'),
  }),
  z.strictObject({
    type: z.literal('shared_secret'),
    header: headerName.describe('Header that contains the secret.'),
    secret: secretReference.describe('Reference to the secret.'),
  }),
  z.strictObject({
    type: z.literal('hmac'),
    header: headerName.describe('Header that contains the signature, `X-Hub-Signature-256`.'),
    secret: secretReference.describe('Reference to the key of the signature.'),
    algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha256').describe('Hash function of the signature.'),
    encoding: z.enum(['hex', 'base64']).default('hex').describe('How the signature is written.'),
    prefix: z.string().max(100).default('').describe('Text before the signature in its header, `sha256=`.'),
    timestamp: z
      .strictObject({
        header: headerName.describe('Header that contains the time of signing, in seconds since 1970.'),
        signed: z
          .string()
          .max(200)
          .regex(/^[^{}]*\{timestamp\}[^{}]*\{body\}[^{}]*$/, 'a text with {timestamp} and, after it, {body}')
          .describe('What is signed, with {timestamp} and {body} in it.'),
        max_age_seconds: z
          .int()
          .min(1)
          .max(3600)
          .default(300)
          .describe('Requests signed longer ago, or further in the future, are refused, so that they cannot be replayed later.'),
      })
      .optional()
      .describe('Set if the signature covers a time. Default: it covers the body alone.'),
  }),
])

export type SenderAuth = z.output<typeof senderAuth>

/** The checks of one request's body. */
export interface BodyCheck {
  /** Called with the body's bytes as they arrive, before decompression. */
  write?(bytes: Uint8Array): void
  /** Called once the body is complete. Throws `RequestRefused` (401). */
  end?(): void
}

/** Checks who sends a request. Compares secrets in constant time and never shows them. */
export interface Authenticator {
  /** Throws `RequestRefused` (401) if the headers alone show that the sender is not known. */
  begin(headers: Headers, nowMs: number): BodyCheck
}

/** The reference to the secret in a source's `auth`. */
export function secretIn(auth: SenderAuth): SecretReference {
  return auth.type === 'basic' ? auth.password : auth.secret
}

/** A bearer token. */
export function bearerAuth(authorised: (token: string | undefined) => boolean): Authenticator {
  return {
    begin(headers) {
      if (authorised(bearerOf(headers.get('authorization')))) return {}
      const advice = 'Authorization: Bearer <token> (see the file `token` in the data folder)'
      throw new RequestRefused(401, `a bearer token is needed: ${advice}`, { 'www-authenticate': 'Bearer' })
    },
  }
}

/** The modes of `auth`; `secret` is what its reference resolves to. */
export function authenticatorOf(auth: SenderAuth, secret: string): Authenticator {
  if (auth.type === 'hmac') return { begin: (headers, nowMs) => signature(auth, secret, headers, nowMs) }
  if (auth.type === 'basic') {
    const expected = `${auth.username}:${secret}`
    return {
      begin(headers) {
        if (sameSecret(basicOf(headers.get('authorization')), expected)) return {}
        const challenge = { 'www-authenticate': 'Basic realm="caracal", charset="UTF-8"' }
        throw new RequestRefused(401, 'basic authentication with user name and password is needed', challenge)
      },
    }
  }
  return {
    begin(headers) {
      if (sameSecret(headers.get(auth.header) ?? undefined, secret)) return {}
      throw new RequestRefused(401, `the header ${auth.header} must contain the secret of this source`)
    },
  }
}

type HmacAuth = Extract<SenderAuth, { type: 'hmac' }>

function signature(auth: HmacAuth, secret: string, headers: Headers, nowMs: number): BodyCheck {
  const given = headers.get(auth.header)
  if (given === null) throw new RequestRefused(401, `the header ${auth.header} with the body's signature is missing`)
  if (!given.startsWith(auth.prefix))
    throw new RequestRefused(401, `the header ${auth.header} does not begin with '${auth.prefix}'`)
  const hmac = createHmac(auth.algorithm, secret)
  const after = auth.timestamp ? beginWithTime(auth.timestamp, hmac, headers, nowMs) : ''
  return {
    write: (bytes) => void hmac.update(bytes),
    end() {
      const expected = hmac.update(after).digest(auth.encoding)
      const found = given.slice(auth.prefix.length)
      if (sameSecret(auth.encoding === 'hex' ? found.toLowerCase() : found, expected)) return
      const advice = 'check that both sides use the same secret and that nothing in between changes the body'
      throw new RequestRefused(401, `the signature in ${auth.header} does not fit the body: ${advice}`)
    },
  }
}

/** Adds what is signed before the body, and returns what is signed after it. */
function beginWithTime(
  { header, signed, max_age_seconds: maxSecs }: NonNullable<HmacAuth['timestamp']>,
  hmac: Hmac,
  headers: Headers,
  nowMs: number,
): string {
  const text = headers.get(header) ?? ''
  if (!/^\d{1,12}$/.test(text))
    throw new RequestRefused(401, `the header ${header} must contain the time of signing, in seconds since 1970`)
  const apartSecs = Math.abs(nowMs / 1000 - Number(text))
  if (apartSecs > maxSecs) {
    const message = `the time in ${header} is ${Math.round(apartSecs)} s away from the clock here, and ${maxSecs} s are allowed`
    throw new RequestRefused(401, `${message}: set both clocks, and sign each attempt again`)
  }
  const [before = '', after = ''] = signed.split('{body}')
  hmac.update(before.replace('{timestamp}', text))
  return after
}
