import { z } from 'zod'
import { type Config, publicUrl } from '../config/config.ts'
import type { LinkAnswer, OneTimeLink } from '../engine/accounts/links.ts'
import {
  LOG_TYPE_PATTERN,
  MAX_EMAIL,
  MAX_PASSWORD,
  MAX_TOKEN_LOG_TYPES,
  MAX_USER_NAME,
  ROLES,
  type User,
} from '../model/account.ts'
import { etagOf, etagSchema } from './if-match.ts'
import { storable } from './storable.ts'

export const email = z
  .email('an email address, such as ana@example.com')
  .max(MAX_EMAIL)
  .transform((text) => text.toLowerCase())
  .describe('Email address, which people sign in with and under which their changes appear.')

export const personName = storable(MAX_USER_NAME)
  .regex(/^[^\p{C}<>]*\S[^\p{C}<>]*$/u, 'a name without control characters and angle brackets')
  .describe('What colleagues call the person.')

/** Longer than what is accepted, so that the rules for passwords say why it is not. */
export const password = z
  .string()
  .min(1)
  .max(MAX_PASSWORD * 8)

export const code = z.string().min(1).max(100)

export const logTypes = z
  .array(z.string().regex(LOG_TYPE_PATTERN, "a log type, or a pattern with '*' such as Nginx.*"))
  .max(MAX_TOKEN_LOG_TYPES)

const time = z.string().describe('RFC 3339, UTC.')

export const userSchema = z.object({
  user_id: z.string(),
  email: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  log_types: z.array(z.string()).describe('Patterns of the log types that they may see; none: everything.'),
  state: z.enum(['active', 'invited', 'disabled']).describe('`invited`: they have not set a password yet.'),
  has_password: z.boolean(),
  has_second_factor: z.boolean().describe('An authenticator app is needed to sign in with the password.'),
  created_time: time,
  created_by: z.string(),
  last_sign_in_time: time.nullable(),
  etag: etagSchema,
})

export const linkSchema = z.object({
  link: z.string().describe('One-time link, by which the person sets a password. It is not shown again.'),
  expires_time: time,
})

export function userView(user: User): z.output<typeof userSchema> {
  return {
    user_id: user.userId,
    email: user.email,
    name: user.name,
    role: user.role,
    log_types: [...user.logTypes],
    state: user.state,
    has_password: user.hasPassword,
    has_second_factor: user.hasSecondFactor,
    created_time: iso(user.createdMs),
    created_by: user.createdBy,
    last_sign_in_time: user.lastSeenMs === null ? null : iso(user.lastSeenMs),
    etag: userEtag(user),
  }
}

export function userEtag({ userId, name, role, logTypes: types, state }: User): string {
  return etagOf(userId, name, role, types, state === 'disabled')
}

/** A link as people open it. */
export function linkView({ code: secret, expiresMs }: OneTimeLink, config: Config): z.output<typeof linkSchema> {
  return { link: `${publicUrl(config)}/setup?code=${secret}`, expires_time: iso(expiresMs) }
}

/** What is filled in after following a link, checked: `undefined` stands for what the link does not ask for. */
export type CheckedAnswer = LinkAnswer

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}
