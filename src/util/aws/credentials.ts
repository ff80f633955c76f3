import { z } from 'zod'
import { messageOf, Refused } from '../errors.ts'
import { type AwsCredentials, signed } from '../http/aws-signature.ts'
import type { Send } from '../http/send.ts'
import { errorCodeIn, textIn } from '../s3/listing.ts'
import { type SecretReference, secretReference } from '../secret.ts'

/** Config keys common to everything of AWS and compatible services. */
export const awsKeys = {
  auth: z
    .strictObject({
      access_key_id: z.union([z.string().min(1), secretReference]).describe('Access key id.'),
      secret_access_key: secretReference.describe('Secret access key.'),
      session_token: secretReference.optional().describe('Token of temporary credentials.'),
    })
    .optional()
    .describe(
      'Credentials. Default: the environment variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if set, AWS_SESSION_TOKEN.',
    ),
  role_arn: z
    .string()
    .regex(/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'as in arn:aws:iam::123456789012:role/logs')
    .optional()
    .describe('Role to assume with these credentials.'),
  external_id: z.string().min(2).max(1224).optional().describe('External id that the role requires.'),
} as const

/** A region's name. */
export const awsRegion = z.string().regex(/^[a-z0-9-]{1,40}$/, 'the name of a region, as in eu-central-1')

export interface AwsAuth {
  readonly access_key_id: string | SecretReference
  readonly secret_access_key: SecretReference
  readonly session_token?: SecretReference | undefined
}

interface Outside {
  readonly send: Send
  readonly secret: (reference: SecretReference) => string
}

export interface RoleOptions {
  readonly arn: string
  readonly externalId: string | undefined
  readonly region: string
  /** URL of the token service. Default: the region's at AWS. */
  readonly endpoint: string | undefined
}

/** Used when none are configured. */
export const DEFAULT_AUTH: AwsAuth = {
  access_key_id: { env: 'AWS_ACCESS_KEY_ID' },
  secret_access_key: { env: 'AWS_SECRET_ACCESS_KEY' },
}
const DEFAULT_TOKEN: SecretReference = { env: 'AWS_SESSION_TOKEN' }
/** Credentials of a role are renewed this long before they expire. */
const MARGIN_MS = 300_000
const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 256 * 1024

/** The configured credentials, or those of a role that they may assume. */
export class Credentials {
  readonly #auth: AwsAuth | undefined
  readonly #role: RoleOptions | undefined
  readonly #outside: Outside
  #assumed: { readonly credentials: AwsCredentials; readonly expiresMs: number } | undefined
  #assuming: Promise<AwsCredentials> | undefined

  constructor(auth: AwsAuth | undefined, role: RoleOptions | undefined, outside: Outside) {
    this.#auth = auth
    this.#role = role
    this.#outside = outside
  }

  /** Rejects with `ConfigError` for a secret that cannot be read, and with `Refused` if the role cannot be assumed. */
  async get(signal: AbortSignal): Promise<AwsCredentials> {
    if (!this.#role) return this.#own()
    if (this.#assumed && this.#assumed.expiresMs - MARGIN_MS > Date.now()) return this.#assumed.credentials
    this.#assuming ??= this.#assume(this.#role, signal).finally(() => {
      this.#assuming = undefined
    })
    return this.#assuming
  }

  #own(): AwsCredentials {
    const { secret } = this.#outside
    const {
      access_key_id: id,
      secret_access_key: key,
      session_token: token,
    } = this.#auth ?? { ...DEFAULT_AUTH, session_token: this.#token() }
    return {
      accessKeyId: typeof id === 'string' ? id : secret(id),
      secretAccessKey: secret(key),
      sessionToken: token && secret(token),
    }
  }

  /** The session token of the environment, if there is one. */
  #token(): SecretReference | undefined {
    try {
      this.#outside.secret(DEFAULT_TOKEN)
      return DEFAULT_TOKEN
    } catch {
      return undefined
    }
  }

  async #assume({ arn, externalId, region, endpoint }: RoleOptions, signal: AbortSignal): Promise<AwsCredentials> {
    const url = new URL(endpoint ?? `https://sts.${region}.amazonaws.com`)
    const form = { Action: 'AssumeRole', Version: '2011-06-15', RoleArn: arn, RoleSessionName: 'caracal' }
    const body = new URLSearchParams({ ...form, ...(externalId !== undefined && { ExternalId: externalId }) }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const request = { method: 'POST' as const, url, headers, region, service: 'sts', body, nowMs: Date.now() }
    const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES, signal }
    let xml: string
    try {
      const answer = await this.#outside.send({ url, method: 'POST', headers: signed(request, this.#own()), body, ...limits })
      xml = Buffer.from(answer.body).toString()
      if (answer.status !== 200) throw new Error(`answered ${answer.status} (${errorCodeIn(xml) ?? 'no reason given'})`)
    } catch (error) {
      signal.throwIfAborted()
      throw new Refused(`the role ${arn} cannot be assumed: ${messageOf(error)}`, { cause: error })
    }
    const [accessKeyId, secretAccessKey] = [textIn(xml, 'AccessKeyId'), textIn(xml, 'SecretAccessKey')]
    const expiresMs = Date.parse(textIn(xml, 'Expiration') ?? '')
    if (!accessKeyId || !secretAccessKey || Number.isNaN(expiresMs))
      throw new Refused(`the role ${arn} cannot be assumed: the answer holds no credentials`)
    const credentials = { accessKeyId, secretAccessKey, sessionToken: textIn(xml, 'SessionToken') }
    this.#assumed = { credentials, expiresMs }
    return credentials
  }
}
