import { betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { twoFactor } from 'better-auth/plugins/two-factor'
import { type Config, publicUrl } from '../../config/config.ts'
import { MAX_PASSWORD, MIN_PASSWORD } from '../../model/account.ts'
import { type Provisioned, provisioned, setRefusal } from './provisioned.ts'
import { type AdapterDeps, userAdapter } from './user-adapter.ts'

/** Where better-auth's own paths are; only the way back from the provider is served. */
export const SIGN_IN_PATH = '/sign-in'

/** The header by which this program tells the library where a call comes from; nothing from outside reaches it. */
export const ADDRESS_HEADER = 'x-caracal-address'

/** How often the use of a session is stored. */
const USED_SECONDS = 60

export interface LibraryDeps extends AdapterDeps {
  readonly config: Pick<Config, 'sign_in' | 'public_url' | 'listen' | 'tls'>
  readonly secret: string
  /** False: no session may begin for this user. */
  readonly mayEnter: (userId: string) => boolean
  /** Plug-ins that sign people in by other means. */
  readonly plugins?: NonNullable<Parameters<typeof betterAuth>[0]['plugins']>
}

export type Library = ReturnType<typeof createLibrary>

/** True if cookies are only sent over HTTPS. */
export function hasSecureCookies(config: LibraryDeps['config']): boolean {
  return publicUrl(config).startsWith('https://')
}

/**
 * better-auth, as it is used here: its functions are called by our routes, which decide who may call them. Its own HTTP API is not served.
 * Users are only created by administrators, one-time links and the provider.
 */
export function createLibrary({ config, secret, mayEnter, plugins = [], ...adapter }: LibraryDeps) {
  const { sign_in } = config
  const isSecure = hasSecureCookies(config)
  return betterAuth({
    appName: 'Caracal',
    baseURL: `${publicUrl(config)}${SIGN_IN_PATH}`,
    secret,
    database: userAdapter(adapter),
    telemetry: { enabled: false },
    logger: { disabled: true },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: MIN_PASSWORD,
      // Counted in UTF-16 units here and in characters by our own rules, which come first.
      maxPasswordLength: MAX_PASSWORD * 2,
    },
    user: {
      modelName: 'users',
      additionalFields: {
        // Required by the table; whoever creates a user says what they are.
        role: { type: 'string', required: false, input: false },
        logTypes: { type: 'string', required: false, input: false },
        createdBy: { type: 'string', required: false, input: false },
        disabledAt: { type: 'date', required: false, input: false },
        lastSeenAt: { type: 'date', required: false, input: false },
      },
    },
    session: {
      modelName: 'user_sessions',
      expiresIn: sign_in.idle_minutes * 60,
      updateAge: USED_SECONDS,
      cookieCache: { enabled: false },
    },
    account: {
      modelName: 'user_credentials',
      encryptOAuthTokens: true,
      updateAccountOnSignIn: false,
      // The provider is one that the operator has chosen. Whether its addresses are believed is decided when it answers.
      accountLinking: { enabled: true, trustedProviders: ['oidc'], requireLocalEmailVerified: false },
    },
    verification: { modelName: 'user_verifications', storeIdentifier: 'hashed' },
    rateLimit: { enabled: false },
    plugins: [
      twoFactor({
        issuer: 'Caracal',
        schema: { twoFactor: { modelName: 'user_second_factors' } },
        // Our own limits come before: an account must not be locked by someone without its password.
        accountLockout: { enabled: true, maxFailedAttempts: 20, durationSeconds: 300 },
      }),
      ...plugins,
    ],
    databaseHooks: {
      user: { create: { before: async (user) => ({ data: { ...user, ...created(user as object) } }) } },
      session: {
        create: {
          before: async ({ userId }) => {
            if (mayEnter(userId)) return
            setRefusal('the account is disabled')
            // Were it only declined, some of the library's functions would fail as if by a fault of theirs.
            throw new APIError('FORBIDDEN', { message: 'the account is disabled' })
          },
        },
      },
      // Nothing is asked of the provider later, so its tokens are not stored.
      account: {
        create: { before: async (account) => ({ data: { ...account, accessToken: null, refreshToken: null, idToken: null } }) },
      },
    },
    advanced: {
      // A cookie with this prefix is only sent to this host over HTTPS, and no other host can set it.
      cookiePrefix: isSecure ? '__Host-caracal' : 'caracal',
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/', secure: isSecure },
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
    },
  })
}

/** What a user who is created gets, unless an administrator has said so. */
function created(user: object): Provisioned | object {
  return 'role' in user && typeof user.role === 'string' ? {} : (provisioned() ?? {})
}
