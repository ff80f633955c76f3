import { z } from 'zod'
import { LOG_TYPE_PATTERN, ROLES } from '../model/account.ts'
import { targetUrl } from '../util/http/target-url.ts'
import { secretReference } from '../util/secret.ts'

const claim = z.string().regex(/^[\w.:/-]{1,200}$/, 'the name of a claim, such as groups')

/** Single sign-on with OpenID Connect. */
export const oidcSchema = z.strictObject({
  issuer: targetUrl
    .refine((url) => !/[?#]/.test(url), 'without a query')
    .describe(
      "The provider's URL; `/.well-known/openid-configuration` is appended to it. It must be what the provider calls itself.",
    ),
  client_id: z.string().min(1).max(500).describe('The id under which the provider knows Caracal.'),
  client_secret: secretReference.describe('Reference to the secret that the provider issued for it.'),
  label: z
    .string()
    .min(1)
    .max(50)
    .default('single sign-on')
    .describe('What the button on the sign-in page says after "Continue with".'),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'a scope'))
    .max(20)
    .default(['openid', 'email', 'profile'])
    .transform((list) => [...new Set(['openid', ...list])])
    .describe('What to ask for. Some providers only report groups if a scope asks for them.'),
  allowed_domains: z
    .array(z.string().regex(/^[a-z0-9.-]{1,253}$/, 'a domain in lower case, such as example.com'))
    .max(100)
    .default([])
    .describe('Only people whose email address is in one of these domains may sign in. Default: any.'),
  unknown_users: z
    .enum(['refuse', 'create'])
    .default('refuse')
    .describe('`refuse`: only people who have an account here may sign in. `create`: an account is created for anyone else.'),
  default_role: z.enum(ROLES).default('viewer').describe('Role of accounts that are created, unless `roles` says otherwise.'),
  default_log_types: z
    .array(z.string().regex(LOG_TYPE_PATTERN, "a log type, or a pattern with '*' such as Nginx.*"))
    .max(50)
    .default([])
    .describe('Log types that accounts which are created may see, unless they are administrators. Default: all.'),
  role_claim: claim
    .optional()
    .describe('Claim with the groups of a person, such as `groups`; dots reach into objects, as in `realm_access.roles`.'),
  roles: z
    .strictObject({ admin: groups(), analyst: groups(), viewer: groups() })
    .prefault({})
    .describe(
      'Groups by role. With `role_claim`, a person gets the highest role that one of their groups has, at every sign-in, and is refused if none has one.',
    ),
  require_verified_email: z
    .boolean()
    .default(true)
    .describe(
      'Refuse people whose email address the provider does not report as verified (`email_verified`). Turn it off only for a provider that does not report it and in which people cannot choose their address.',
    ),
})

function groups() {
  return z.array(z.string().min(1).max(500)).max(100).default([]).describe('Groups with this role.')
}

/** How people sign in. */
export const signInSchema = z.strictObject({
  idle_minutes: z
    .int()
    .min(5)
    .max(43_200)
    .default(720)
    .describe('A session that is not used for this many minutes ends. Default: 12 hours.'),
  session_hours: z
    .int()
    .min(1)
    .max(2160)
    .default(168)
    .describe('A session ends after this many hours even if it is used. Default: a week.'),
  require_second_factor: z
    .boolean()
    .default(false)
    .describe('People who sign in with a password can do nothing until they have set up an authenticator app.'),
  passwords: z
    .boolean()
    .default(true)
    .describe('False: people only sign in at the provider in `oidc`, and passwords are refused.'),
  allow_plain_http: z
    .boolean()
    .default(false)
    .describe(
      'Let people sign in over plain HTTP from other machines. Passwords and sessions then cross the network in the clear: for tests, and networks that encrypt by other means.',
    ),
  oidc: oidcSchema.optional().describe('Single sign-on at an OpenID Connect provider (docs/accounts.md). Default: off.'),
})

export type SignInConfig = z.output<typeof signInSchema>
export type OidcConfig = z.output<typeof oidcSchema>
