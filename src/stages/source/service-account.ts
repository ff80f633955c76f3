import { createSign } from 'node:crypto'
import { z } from 'zod'
import { messageOf, Refused } from '../../util/errors.ts'
import { targetUrl } from '../../util/http/target-url.ts'
import { CachedToken, type IssuedToken } from './cached-token.ts'
import { ask, refusalOf } from './objects/request.ts'
import type { Outside } from './source.ts'

/** The members of a key file, as the Google Cloud console writes it, that a token is requested with. */
const serviceAccountKey = z.object({
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
  token_uri: targetUrl.default('https://oauth2.googleapis.com/token'),
})
type Key = z.output<typeof serviceAccountKey>

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number() })

const LIFETIME_S = 3600
const MAX_ANSWER_BYTES = 64 * 1024
const ADVICE = {
  invalid_grant: 'check that the key was not deleted, and the clock of this machine',
  unauthorized_client: 'allow the client id of the service account these scopes, by domain-wide delegation',
  '400': 'check the key of the service account',
  '401': 'check the key of the service account',
}

/** What a token is for. */
export interface TokenTerms {
  readonly scopes: readonly string[]
  /** The user for whom the account acts (domain-wide delegation). */
  readonly subject?: string | undefined
}

/**
 * Tokens for a service account: a statement signed with its key is exchanged for one (RFC 7523). `key` reads the key file, again at each
 * request. Rejects with `ConfigError` if the secret cannot be read, with `Refused` or `RetryLater` if there is no token for it.
 */
export function serviceAccountToken(outside: Outside, key: () => string, terms: TokenTerms): CachedToken {
  return new CachedToken((signal) => request(outside, keyOf(key()), terms, signal))
}

async function request(outside: Outside, key: Key, terms: TokenTerms, signal: AbortSignal): Promise<IssuedToken> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: assertionOf(key, terms, Math.floor(Date.now() / 1000)),
  }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await ask(outside.send, {
    url: key.token_uri,
    method: 'POST',
    headers,
    body,
    maxBytes: MAX_ANSWER_BYTES,
    signal,
  })
  const text = Buffer.from(answer.body).toString()
  if (answer.status !== 200) {
    const refusal = refusalOf(answer, /"error"\s*:\s*"([a-z_]{1,60})"/.exec(text)?.[1], ADVICE)
    refusal.message = `no token for ${key.client_email}: the token server ${refusal.message}`
    throw refusal
  }
  const token = tokenAnswer.safeParse(jsonOf(text)).data
  if (!token) throw new Refused(`no token for ${key.client_email}: the answer of the token server holds none`)
  return { text: token.access_token, seconds: token.expires_in }
}

/** Messages never quote the file. */
function keyOf(text: string): Key {
  const key = serviceAccountKey.safeParse(jsonOf(text))
  if (key.success) return key.data
  const { path } = key.error.issues[0]!
  const what = path.length === 0 ? 'it is not a JSON object' : `its member \`${path.join('.')}\` is missing or wrong`
  throw new Refused(`the secret is not the key file of a service account: ${what}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function assertionOf(key: Key, { scopes, subject }: TokenTerms, nowS: number): string {
  const header = { alg: 'RS256', typ: 'JWT', kid: key.private_key_id }
  const by = { iss: key.client_email, ...(subject !== undefined && { sub: subject }) }
  const claims = { ...by, scope: scopes.join(' '), aud: key.token_uri, iat: nowS, exp: nowS + LIFETIME_S }
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key.private_key, 'base64url')}`
  } catch (error) {
    throw new Refused(`nothing can be signed with the \`private_key\` of ${key.client_email}: ${messageOf(error)}`)
  }
}
