import type { Config } from '../../config/config.ts'
import type { StateDb } from '../../state/db.ts'
import { storedSignInFailures } from '../../state/sign-in-failures.ts'
import { storedTokens, type TokenAnswer, type TokenAsk } from '../../state/tokens.ts'
import type { UserRowsAnswer, UserRowsAsk } from '../../state/user-rows.ts'
import type { Send } from '../../util/http/send.ts'
import { Attempts } from './attempts.ts'
import { createLibrary } from './library.ts'
import { Links } from './links.ts'
import { oidcProvider } from './oidc-provider.ts'
import { OidcSignIn } from './oidc-sign-in.ts'
import { SignIn } from './sign-in.ts'
import { Tokens } from './tokens.ts'
import { Users } from './users.ts'

/** The people who may sign in, and how they do. Nothing here shows events. */
export interface Accounts {
  readonly users: Users
  readonly links: Links
  readonly signIn: SignIn
  readonly attempts: Attempts
  /** Single sign-on, if it is configured. */
  readonly oidc: OidcSignIn | undefined
}

export interface AccountDeps {
  readonly config: Pick<Config, 'sign_in' | 'public_url' | 'listen' | 'tls'>
  /** Reads the state. */
  readonly state: StateDb
  /** The secret of the data folder's token. */
  readonly machine: string
  /** The key of the data folder (`signInKey`). */
  readonly secret: string
  /** Changes the state. */
  readonly ask: (ask: UserRowsAsk) => Promise<UserRowsAnswer>
  readonly askTokens: (ask: TokenAsk) => Promise<TokenAnswer>
  readonly now: () => number
  /** Reaches the provider of single sign-on. */
  readonly send: Send
  /** The secret that the provider issued. */
  readonly clientSecret: string | undefined
}

/** Everyone who may call: people, and programs by their tokens. */
export async function openAccounts(deps: AccountDeps): Promise<{ readonly accounts: Accounts; readonly tokens: Tokens }> {
  const { config, state, machine, secret, ask, askTokens, now } = deps
  const users = await Users.open({ state, now })
  const { oidc } = config.sign_in
  const provider = oidc && oidcProvider({ config: oidc, clientSecret: deps.clientSecret!, send: deps.send, now })
  const plugins = provider ? [{ id: 'caracal-oidc', init: () => ({ context: { socialProviders: [provider] } }) }] : []
  const library = createLibrary({ config, secret, state, ask, plugins, mayEnter: (userId) => users.mayEnter(userId) })
  users.use(library)
  const attempts = new Attempts({
    stored: await storedSignInFailures(state),
    save: async (changed) => void (await ask({ do: 'failures', changed })),
    now,
  })
  const signIn = new SignIn({ library, users, attempts, state, config, now })
  const tokens = new Tokens({
    ...{ machine, ask: askTokens, now },
    stored: await storedTokens(state),
    userOf: (userId) => users.get(userId),
    isSecondFactorNeeded: config.sign_in.require_second_factor,
  })
  return {
    accounts: {
      users,
      links: new Links(library, users, now),
      signIn,
      attempts,
      oidc: oidc && new OidcSignIn({ library, users, signIn, config, isRoleMapped: oidc.role_claim !== undefined }),
    },
    tokens,
  }
}
