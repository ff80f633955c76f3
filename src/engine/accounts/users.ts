import { MAX_USERS, type Role, type User } from '../../model/account.ts'
import { Order } from '../../pipeline/order.ts'
import type { StateDb } from '../../state/db.ts'
import { type UserRow, userRows } from '../../state/user-rows.ts'
import type { Library } from './library.ts'

/** A user to create. */
export interface UserWish {
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly logTypes: readonly string[]
  readonly createdBy: string
}

/** What an administrator changes. */
export interface UserChange {
  readonly name?: string | undefined
  readonly role?: Role | undefined
  readonly logTypes?: readonly string[] | undefined
  readonly isDisabled?: boolean | undefined
}

/** `last_admin`: nobody could administer Caracal from a browser any more. */
export type UserOutcome = User | 'unknown' | 'last_admin'

export interface UsersDeps {
  readonly state: StateDb
  readonly now: () => number
  /** Called after a user has changed or was removed. */
  readonly onChange?: () => void
}

/** The people who may sign in, in memory as they are in the state: tokens of theirs are checked against them with each call. */
export class Users {
  readonly #deps: UsersDeps
  readonly #changes = new Order()
  #byId: ReadonlyMap<string, User> = new Map()
  /** Reading begun, and the newest whose result is in use: one that takes longer must not undo a later one. */
  #begun = 0
  #used = 0
  #library: Library | undefined

  private constructor(deps: UsersDeps) {
    this.#deps = deps
  }

  static async open(deps: UsersDeps): Promise<Users> {
    const users = new Users(deps)
    await users.reload()
    return users
  }

  /** The library needs to know who may enter, and this needs the library to change users. */
  use(library: Library): void {
    this.#library = library
  }

  /** Every user, by email address. */
  list(): readonly User[] {
    return [...this.#byId.values()].sort((a, b) => (a.email < b.email ? -1 : 1))
  }

  get(userId: string): User | undefined {
    return this.#byId.get(userId)
  }

  /** The user with this id or email address. */
  find(idOrEmail: string): User | undefined {
    const email = idOrEmail.toLowerCase()
    return this.#byId.get(idOrEmail) ?? this.list().find((user) => user.email === email)
  }

  mayEnter(userId: string): boolean {
    const user = this.get(userId)
    // A user who is created by the provider's answer is not known here yet.
    return user?.state !== 'disabled'
  }

  create(wish: UserWish): Promise<User | 'taken' | 'too_many'> {
    return this.#changes.run(async () => {
      const email = wish.email.toLowerCase()
      if (this.find(email)) return 'taken'
      if (this.#byId.size >= MAX_USERS) return 'too_many'
      const { adapter } = await this.#context()
      const { name, role, createdBy } = wish
      const data = { email, name, emailVerified: true, role, createdBy, logTypes: JSON.stringify(wish.logTypes) }
      const { id } = await adapter.create<Record<string, unknown>, { id: string }>({ model: 'user', data })
      await this.reload()
      return this.get(id)!
    })
  }

  /** Changes take effect with the next call that the user makes; disabling one ends their sessions as well. */
  change(idOrEmail: string, { name, role, logTypes, isDisabled }: UserChange): Promise<UserOutcome> {
    return this.#changes.run(async () => {
      const user = this.find(idOrEmail)
      if (!user) return 'unknown'
      const isAdminAfter = (role ?? user.role) === 'admin' && isDisabled !== true
      if (!isAdminAfter && this.#isLastAdmin(user)) return 'last_admin'
      const disabledAt = isDisabled === undefined ? {} : { disabledAt: isDisabled ? new Date(this.#deps.now()) : null }
      const { internalAdapter } = await this.#context()
      await internalAdapter.updateUser(user.userId, {
        ...(name !== undefined && { name }),
        ...(role !== undefined && { role }),
        ...(logTypes !== undefined && { logTypes: JSON.stringify(logTypes) }),
        ...disabledAt,
      })
      if (isDisabled) await internalAdapter.deleteUserSessions(user.userId)
      await this.reload()
      return this.get(user.userId)!
    })
  }

  remove(idOrEmail: string): Promise<UserOutcome> {
    return this.#changes.run(async () => {
      const user = this.find(idOrEmail)
      if (!user) return 'unknown'
      if (this.#isLastAdmin(user)) return 'last_admin'
      const { internalAdapter } = await this.#context()
      await internalAdapter.deleteUserSessions(user.userId)
      // Credentials and second factors go with it (foreign keys).
      await internalAdapter.deleteUser(user.userId)
      await this.reload()
      return user
    })
  }

  /** Ends every session, and removes the second factor if that is wanted. */
  async reset(userId: string, isSecondFactorToo: boolean): Promise<void> {
    await this.#changes.run(async () => {
      const { internalAdapter, adapter } = await this.#context()
      await internalAdapter.deleteUserSessions(userId)
      if (isSecondFactorToo) {
        await adapter.deleteMany({ model: 'twoFactor', where: [{ field: 'userId', value: userId }] })
        await internalAdapter.updateUser(userId, { twoFactorEnabled: false })
      }
      await this.reload()
    })
  }

  /** Sets a password and ends every session that began with the one before. */
  async setPassword(userId: string, password: string): Promise<void> {
    const context = await this.#context()
    const hash = await context.password.hash(password)
    const { internalAdapter } = context
    if (await internalAdapter.findCredentialAccount(userId)) await internalAdapter.updatePassword(userId, hash)
    else await internalAdapter.linkAccount({ userId, providerId: 'credential', accountId: userId, password: hash })
    await internalAdapter.deleteUserSessions(userId)
    await this.reload()
  }

  /** Reads everything from the state again. */
  async reload(): Promise<void> {
    const { state } = this.#deps
    const turn = ++this.#begun
    const credentials = await userRows(state, { table: 'user_credentials', where: [] })
    const kinds = new Map<string, Set<string>>()
    for (const row of credentials) {
      const userId = String(row['userId'])
      kinds.set(userId, (kinds.get(userId) ?? new Set()).add(String(row['providerId'])))
    }
    const rows = await userRows(state, { table: 'users', where: [] })
    if (turn < this.#used) return
    this.#used = turn
    this.#byId = new Map(rows.map((row) => [String(row['id']), userOf(row, kinds.get(String(row['id'])) ?? new Set())]))
    this.#deps.onChange?.()
  }

  #isLastAdmin(user: User): boolean {
    const isActive = ({ role, state }: User) => role === 'admin' && state === 'active'
    return isActive(user) && this.list().filter(isActive).length === 1
  }

  #context() {
    return this.#library!.$context
  }
}

function userOf(row: UserRow, kinds: ReadonlySet<string>): User {
  const text = (key: string) => String(row[key])
  const time = (key: string) => (row[key] === null ? null : Date.parse(text(key)))
  return {
    userId: text('id'),
    email: text('email'),
    name: text('name'),
    role: text('role') as Role,
    logTypes: JSON.parse(text('logTypes')) as string[],
    state: row['disabledAt'] !== null ? 'disabled' : kinds.size === 0 ? 'invited' : 'active',
    hasSecondFactor: row['twoFactorEnabled'] === 1,
    hasPassword: kinds.has('credential'),
    createdMs: time('createdAt')!,
    createdBy: text('createdBy'),
    lastSeenMs: time('lastSeenAt'),
  }
}
