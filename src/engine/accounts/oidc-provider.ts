import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { verifyProviderIdToken } from 'better-auth/oauth2'
import { z } from 'zod'
import type { OidcConfig } from '../../config/sign-in.ts'
import { ROLES } from '../../model/account.ts'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import type { Send } from '../../util/http/send.ts'
import { setProvisioned, setRefusal } from './provisioned.ts'

/** How long what the provider says about itself is used. */
const KNOWN_MS = 10 * 60_000
const TIMEOUT_MS = 10_000
const MAX_BYTES = 1024 * 1024
/** Signatures that a key pair makes. Never `none`, and never one that the client's secret makes. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** OpenID Connect Discovery 1.0, section 3. */
const discoverySchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url({ protocol: /^https?$/ }),
  token_endpoint: z.url({ protocol: /^https?$/ }),
  userinfo_endpoint: z.url({ protocol: /^https?$/ }).optional(),
  jwks_uri: z.url({ protocol: /^https?$/ }),
})
type Discovery = z.output<typeof discoverySchema>
const keysSchema = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().optional(), use: z.string().optional() })),
})
const tokenSchema = z.object({ id_token: z.string(), access_token: z.string().optional() })
type Claims = Readonly<Record<string, unknown>>

export interface ProviderDeps {
  readonly config: OidcConfig
  readonly clientSecret: string
  readonly send: Send
  readonly now: () => number
}

/**
 * The configured provider of OpenID Connect, for better-auth, which makes and checks state, nonce, PKCE and the signature of the ID token.
 * Requests take the way of all others, with its proxy, authorities and limits.
 */
export function oidcProvider({ config, clientSecret, send, now }: ProviderDeps) {
  let known: { readonly discovery: Discovery; readonly keys: ReadonlyMap<string, KeyObject>; readonly atMs: number } | undefined

  async function json(url: string, headers: Record<string, string> = {}, body?: string): Promise<unknown> {
    const method = body === undefined ? 'GET' : 'POST'
    const request = {
      url,
      method,
      headers: { accept: 'application/json', ...headers },
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    } as const
    const answer = await send({ ...request, ...(body !== undefined && { body }) })
    if (answer.status !== 200) throw new Refused(`${new URL(url).host} answered ${answer.status}`)
    return JSON.parse(Buffer.from(answer.body).toString())
  }

  async function about(isFresh = false) {
    if (known && !isFresh && now() - known.atMs < KNOWN_MS) return known
    const discovery = discoverySchema.parse(await json(`${config.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`))
    if (discovery.issuer.replace(/\/$/, '') !== config.issuer.replace(/\/$/, ''))
      throw new Refused(
        `the provider calls itself ${discovery.issuer.slice(0, 200)}, and sign_in.oidc.issuer is ${config.issuer}`,
      )
    const { keys } = keysSchema.parse(await json(discovery.jwks_uri))
    const usable = keys.filter(({ kty, use }) => kty !== 'oct' && (use === undefined || use === 'sig'))
    const byId = new Map(usable.flatMap((key) => keyIn(key)))
    known = { discovery, keys: byId, atMs: now() }
    return known
  }

  /** A key that is not known yet may be new: the provider is asked again, at most once a minute. */
  async function keyOf({ kid = '' }: { readonly kid?: string }): Promise<KeyObject> {
    const { keys, atMs } = await about()
    const key = keys.get(kid) ?? (now() - atMs > 60_000 ? (await about(true)).keys.get(kid) : undefined)
    if (!key) throw new Refused('the ID token is signed with a key that the provider does not publish')
    return key
  }

  const provider = {
    id: 'oidc' as const,
    name: config.label,
    issuer: config.issuer,
    requiresIdTokenNonce: true,
    disableImplicitSignUp: config.unknown_users === 'refuse',
    options: { disableSignUp: config.unknown_users === 'refuse' },
    idToken: {
      jwks: keyOf as never,
      issuer: [config.issuer, config.issuer.replace(/\/$/, ''), `${config.issuer.replace(/\/$/, '')}/`],
      audience: config.client_id,
      algorithms: ALGORITHMS,
    },
    accountSubject: ({ profile }: { profile: object }) => String((profile as Claims)['sub']),

    async createAuthorizationURL(wanted: {
      state: string
      codeVerifier: string
      redirectURI: string
      idTokenNonce?: string | undefined
    }) {
      const { discovery } = await about().catch((error: unknown) => {
        throw new RetryLater(`the provider cannot be asked: ${messageOf(error)}`)
      })
      const url = new URL(discovery.authorization_endpoint)
      for (const [name, value] of Object.entries({
        response_type: 'code',
        client_id: config.client_id,
        redirect_uri: wanted.redirectURI,
        scope: config.scopes.join(' '),
        state: wanted.state,
        nonce: wanted.idTokenNonce!,
        code_challenge: createHash('sha256').update(wanted.codeVerifier).digest('base64url'),
        code_challenge_method: 'S256',
      }))
        url.searchParams.set(name, value)
      return url
    },

    async validateAuthorizationCode({
      code,
      redirectURI,
      codeVerifier,
    }: {
      code: string
      redirectURI: string
      codeVerifier?: string | undefined
    }) {
      const { discovery } = await about()
      // RFC 6749, section 2.3.1: id and secret are form-encoded before they are joined.
      const pair = [config.client_id, clientSecret].map(encodeURIComponent).join(':')
      const form = new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectURI,
        code_verifier: codeVerifier!,
      })
      const headers = {
        authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      }
      const { id_token, access_token } = tokenSchema.parse(await json(discovery.token_endpoint, headers, String(form)))
      return { idToken: id_token, accessToken: access_token }
    },

    async getUserInfo(tokens: {
      idToken?: string | undefined
      accessToken?: string | undefined
      expectedIdTokenNonce?: string | undefined
    }) {
      const { idToken, accessToken, expectedIdTokenNonce } = tokens
      if (!idToken || !expectedIdTokenNonce || !(await verifyProviderIdToken(provider as never, idToken, expectedIdTokenNonce)))
        return refuse('the ID token is not valid')
      const own = JSON.parse(Buffer.from(idToken.split('.')[1]!, 'base64url').toString()) as Claims
      const more = await moreClaims(own, accessToken)
      if (more['sub'] !== undefined && more['sub'] !== own['sub']) return refuse('the provider described another person')
      return personOf({ ...more, ...own }, config)
    },
  }

  /** What the ID token does not say, if the provider has an address for it. */
  async function moreClaims(own: Claims, accessToken: string | undefined): Promise<Claims> {
    const { userinfo_endpoint: url } = (await about()).discovery
    const isEnough =
      own['email'] !== undefined && (config.role_claim === undefined || valueAt(own, config.role_claim) !== undefined)
    if (isEnough || url === undefined || accessToken === undefined) return {}
    return (await json(url, { authorization: `Bearer ${accessToken}` })) as Claims
  }
  return provider
}

/** The person as the library wants it; `null` if they may not enter, with the reason set. */
function personOf(claims: Claims, config: OidcConfig) {
  const email = z.email().max(200).safeParse(claims['email'])
  if (!email.success) return refuse('the provider reports no email address: ask for the scope that contains it')
  const address = email.data.toLowerCase()
  if (config.require_verified_email && claims['email_verified'] !== true)
    return refuse(`the provider does not say that ${address} is verified (sign_in.oidc.require_verified_email)`)
  const { allowed_domains: domains } = config
  if (domains.length > 0 && !domains.includes(address.split('@')[1]!))
    return refuse(`${address} is not in a domain of sign_in.oidc.allowed_domains`)
  const role = roleOf(claims, config)
  if (!role) return refuse(`no group of ${address} has a role (sign_in.oidc.roles)`)
  const logTypes = role === 'admin' ? [] : config.default_log_types
  setProvisioned({ role, logTypes: JSON.stringify(logTypes), createdBy: 'single sign-on' })
  const name = typeof claims['name'] === 'string' ? claims['name'].replaceAll(/[\p{C}<>]/gu, '').slice(0, 100) : ''
  return { user: { email: address, name: name.trim() || address, emailVerified: true }, data: claims }
}

function roleOf(claims: Claims, { role_claim, roles, default_role }: OidcConfig) {
  if (role_claim === undefined) return default_role
  const value = valueAt(claims, role_claim)
  const groups = new Set((Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string'))
  return ROLES.find((role) => roles[role].some((group) => groups.has(group)))
}

/** A claim by its name, or else by its path. */
function valueAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const key of path.split('.'))
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Claims)[key] : undefined
  return value
}

/** The key with its id. Nothing if it is of a kind that is not known here, which must not keep the others from being used (RFC 7517, section 5). */
function keyIn(key: z.output<typeof keysSchema>['keys'][number]): [string, KeyObject][] {
  try {
    return [[key.kid ?? '', createPublicKey({ key: key as never, format: 'jwk' })]]
  } catch {
    return []
  }
}

function refuse(why: string): null {
  setRefusal(why)
  return null
}
