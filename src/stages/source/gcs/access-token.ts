import { createSign } from 'node:crypto'
import { z } from 'zod'
import { messageOf, Refused } from '../../../util/errors.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { ask, refusalOf } from '../objects/request.ts'
import type { Outside } from '../source.ts'

/** The members of a key file, as the Google Cloud console writes it, that a token is requested with. */
const serviceAccountKey = z.object({
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
  token_uri: targetUrl.default('https://oauth2.googleapis.com/token'),
})
const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number() })

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only'
const LIFETIME_S = 3600
/** A token is renewed this long before it expires. */
const MARGIN_MS = 300_000
const MAX_ANSWER_BYTES = 64 * 1024
const ADVICE = {
  invalid_grant: 'check that the key was not deleted, and the clock of this machine',
  '400': 'check the key of the service account',
  '401': 'check the key of the service account',
}

/** Tokens for a service account: a statement signed with its key is exchanged for one (RFC 7523), and kept until it expires. */
export class AccessToken {
  readonly #outside: Outside
  /** Reads the key file, again at each call. */
  readonly #key: () => string
  #token: { readonly text: string; readonly expiresMs: number } | undefined
  #asking: Promise<string> | undefined

  constructor(outside: Outside, key: () => string) {
    this.#outside = outside
    this.#key = key
  }

  /** Rejects with `ConfigError` if the secret cannot be read, with `Refused` or `RetryLater` if there is no token for it. */
  async get(signal: AbortSignal): Promise<string> {
    if (this.#token && this.#token.expiresMs - MARGIN_MS > Date.now()) return this.#token.text
    this.#asking ??= this.#ask(signal).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** The token was refused: the next one is a new one. */
  forget(): void {
    this.#token = undefined
  }

  async #ask(signal: AbortSignal): Promise<string> {
    const key = keyOf(this.#key())
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: assertionOf(key, Math.floor(Date.now() / 1000)),
    }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const request = { url: key.token_uri, method: 'POST', headers, body, maxBytes: MAX_ANSWER_BYTES, signal } as const
    const answer = await ask(this.#outside.send, request)
    const text = Buffer.from(answer.body).toString()
    if (answer.status !== 200) {
      const refusal = refusalOf(answer, /"error"\s*:\s*"([a-z_]{1,60})"/.exec(text)?.[1], ADVICE)
      refusal.message = `no token for ${key.client_email}: the token server ${refusal.message}`
      throw refusal
    }
    const token = tokenAnswer.safeParse(jsonOf(text)).data
    if (!token) throw new Refused(`no token for ${key.client_email}: the answer of the token server holds none`)
    this.#token = { text: token.access_token, expiresMs: Date.now() + token.expires_in * 1000 }
    return token.access_token
  }
}

/** Messages never quote the file. */
function keyOf(text: string): z.output<typeof serviceAccountKey> {
  const key = serviceAccountKey.safeParse(jsonOf(text))
  if (key.success) return key.data
  const { path } = key.error.issues[0]!
  const what = path.length === 0 ? 'it is not a JSON object' : `its member \`${path.join('.')}\` is missing or wrong`
  throw new Refused(`the secret of \`service_account_key\` is not the key file of a service account: ${what}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function assertionOf(key: z.output<typeof serviceAccountKey>, nowS: number): string {
  const header = { alg: 'RS256', typ: 'JWT', kid: key.private_key_id }
  const claims = { iss: key.client_email, scope: SCOPE, aud: key.token_uri, iat: nowS, exp: nowS + LIFETIME_S }
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key.private_key, 'base64url')}`
  } catch (error) {
    throw new Refused(`nothing can be signed with the \`private_key\` of ${key.client_email}: ${messageOf(error)}`)
  }
}
