import { z } from 'zod'
import { Refused } from '../../../util/errors.ts'
import { shownUrl } from '../../../util/http/send.ts'
import type { SecretReference } from '../../../util/secret.ts'
import { CachedToken, type IssuedToken } from '../cached-token.ts'
import { ask, refusalOf } from '../objects/request.ts'
import { serviceAccountToken } from '../service-account.ts'
import type { Outside } from '../source.ts'
import type { AuthSpec } from './spec.ts'

/** What requests to a service are authorised with. */
export interface Credentials {
  /** Headers for a request. Rejects with `ConfigError` for a missing secret, with `Refused` or `RetryLater` if there is no token. */
  headers(signal: AbortSignal): Promise<Record<string, string>>
  /** They were refused. True if the next ones are new. */
  forget(): boolean
}

type OAuth2 = Extract<AuthSpec, { type: 'oauth2' }>

const MAX_ANSWER_BYTES = 64 * 1024
/** Lifetime of a token whose server does not say. */
const DEFAULT_SECONDS = 600
const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().min(0).max(1e9).default(DEFAULT_SECONDS),
})
const ADVICE = {
  invalid_client: 'check the id and the secret of the client; the secret may have expired',
  unauthorized_client: 'check that the client exists and may use this grant',
  invalid_scope: 'check the scope',
  '400': 'check the id and the secret of the client',
  '401': 'check the id and the secret of the client',
  '404': 'check the URL of the token server',
}

/** Secrets are read again at each request, so that a renewed one counts without a restart. */
export function credentialsOf(auth: AuthSpec | undefined, outside: Outside): Credentials {
  if (!auth) return fixed(() => ({}))
  switch (auth.type) {
    case 'bearer':
      return fixed(() => ({ authorization: `${auth.scheme} ${outside.secret(auth.token)}` }))
    case 'header':
      return fixed(() => ({ [auth.name]: outside.secret(auth.value) }))
    case 'basic':
      return fixed(() => ({ authorization: basic(textOf(auth.username, outside), outside.secret(auth.password)) }))
    case 'oauth2':
      return withToken(new CachedToken((signal) => clientToken(auth, outside, signal)))
    case 'service_account': {
      const { key, scopes, subject } = auth
      return withToken(serviceAccountToken(outside, () => outside.secret(key), { scopes, subject }))
    }
  }
}

function fixed(headers: () => Record<string, string>): Credentials {
  return { headers: async () => headers(), forget: () => false }
}

function withToken(token: CachedToken): Credentials {
  return {
    headers: async (signal) => ({ authorization: `Bearer ${await token.get(signal)}` }),
    forget() {
      token.forget()
      return true
    },
  }
}

function textOf(text: string | SecretReference, { secret }: Outside): string {
  return typeof text === 'string' ? text : secret(text)
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** A token by the grant for clients (RFC 6749, section 4.4). */
async function clientToken(auth: OAuth2, outside: Outside, signal: AbortSignal): Promise<IssuedToken> {
  const { token_url: url, scope, parameters, client_auth: how } = auth
  const [id, secret] = [textOf(auth.client_id, outside), outside.secret(auth.client_secret)]
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope !== undefined && { scope }),
    ...parameters,
    ...(how === 'body' && { client_id: id, client_secret: secret }),
  }).toString()
  const headers = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    ...(how === 'basic' && { authorization: basic(encodeURIComponent(id), encodeURIComponent(secret)) }),
  }
  const answer = await ask(outside.send, { url, method: 'POST', headers, body, maxBytes: MAX_ANSWER_BYTES, signal })
  const text = Buffer.from(answer.body).toString()
  if (answer.status !== 200) {
    const refusal = refusalOf(answer, /"error"\s*:\s*"([a-z_]{1,60})"/.exec(text)?.[1], ADVICE)
    refusal.message = `no token: ${shownUrl(url)} ${refusal.message}`
    throw refusal
  }
  const token = tokenAnswer.safeParse(jsonOf(text)).data
  if (!token) throw new Refused(`no token: the answer of ${shownUrl(url)} has no \`access_token\``)
  return { text: token.access_token, seconds: token.expires_in }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
