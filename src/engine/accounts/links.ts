import { randomBytes } from 'node:crypto'
import type { User } from '../../model/account.ts'
import { Order } from '../../pipeline/order.ts'
import type { Library } from './library.ts'
import { passwordProblem } from './passwords.ts'
import type { Users } from './users.ts'

/** How long a one-time link is valid. */
const VALID_MS = 24 * 3_600_000

/** What a one-time link is for. `first`: to create the first administrator. */
export type LinkPurpose = { readonly kind: 'first' } | { readonly kind: 'password'; readonly user: User }

/** A link's secret; whoever has it can set the password. */
export interface OneTimeLink {
  readonly code: string
  readonly expiresMs: number
}

/** What a person fills in. `email` and `name` only count for the first administrator. */
export interface LinkAnswer {
  readonly email?: string | undefined
  readonly name?: string | undefined
  readonly password: string
}

/** One-time links, by which people set a password of their own. A new one for the same purpose replaces the one before. */
export class Links {
  readonly #library: Library
  readonly #users: Users
  readonly #now: () => number
  readonly #order = new Order()

  constructor(library: Library, users: Users, now: () => number) {
    this.#library = library
    this.#users = users
    this.#now = now
  }

  /** A link to create the first administrator; `undefined` once there is a user. */
  async first(): Promise<OneTimeLink | undefined> {
    return this.#users.list().length > 0 ? undefined : this.#make({ kind: 'first' })
  }

  /** A link with which a user sets a password. */
  forUser(userId: string): Promise<OneTimeLink> {
    return this.#make({ kind: 'password', userId })
  }

  /** What a link is for; `undefined` if it is not valid, or not any more. */
  async purpose(code: string): Promise<LinkPurpose | undefined> {
    const { internalAdapter } = await this.#library.$context
    const found = await internalAdapter.findVerificationValue(identifierOf(code))
    return found && found.expiresAt.getTime() > this.#now() ? this.#purposeOf(found.value) : undefined
  }

  /** Uses a link up. `problem`: what is wrong with the answer; the link stays valid. */
  answer(
    code: string,
    { email = '', name = '', password }: LinkAnswer,
  ): Promise<User | 'invalid' | { readonly problem: string }> {
    return this.#order.run(async () => {
      const purpose = await this.purpose(code)
      if (!purpose) return 'invalid'
      const address = purpose.kind === 'first' ? email : purpose.user.email
      const problem = passwordProblem(password, address)
      if (problem !== undefined) return { problem }
      const { internalAdapter } = await this.#library.$context
      if (!(await internalAdapter.consumeVerificationValue(identifierOf(code)))) return 'invalid'
      const user = purpose.kind === 'password' ? purpose.user : await this.#createFirst(email, name)
      if (!user) return 'invalid'
      await this.#users.setPassword(user.userId, password)
      return this.#users.get(user.userId) ?? 'invalid'
    })
  }

  async #createFirst(email: string, name: string): Promise<User | undefined> {
    const made = await this.#users.create({ email, name, role: 'admin', logTypes: [], createdBy: 'first link' })
    return typeof made === 'string' ? undefined : made
  }

  async #make(
    purpose: { readonly kind: 'first' } | { readonly kind: 'password'; readonly userId: string },
  ): Promise<OneTimeLink> {
    const { internalAdapter, adapter } = await this.#library.$context
    const value = JSON.stringify(purpose)
    await adapter.deleteMany({ model: 'verification', where: [{ field: 'value', value }] })
    const code = randomBytes(32).toString('base64url')
    const expiresMs = this.#now() + VALID_MS
    await internalAdapter.createVerificationValue({ identifier: identifierOf(code), value, expiresAt: new Date(expiresMs) })
    return { code, expiresMs }
  }

  #purposeOf(value: string): LinkPurpose | undefined {
    const { kind, userId = '' } = JSON.parse(value) as { kind?: string; userId?: string }
    if (kind === 'first') return this.#users.list().length === 0 ? { kind: 'first' } : undefined
    const user = kind === 'password' ? this.#users.get(userId) : undefined
    return user && user.state !== 'disabled' ? { kind: 'password', user } : undefined
  }
}

/** Other rows of that table must not serve as links. */
function identifierOf(code: string): string {
  return `link-${code}`
}
