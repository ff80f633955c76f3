import type { CompiledSchema } from '../../model/schema.ts'
import type { LoadedTable } from '../compile.ts'
import type { Content, Problem } from '../content.ts'

/** What names in content may refer to. */
export interface World {
  /** Everything that `caracal up` would load, and the content being checked. */
  readonly known: {
    readonly content: Content
    readonly schemas: ReadonlyMap<string, CompiledSchema>
    readonly tables: ReadonlyMap<string, LoadedTable>
  }
  /** From the configuration. `undefined`: names that a source may define are not checked. */
  readonly sources: readonly { readonly log_types: readonly string[] }[] | undefined
  /** From the configuration. `undefined`: names of destinations are not checked. */
  readonly destinations: readonly { readonly id: string }[] | undefined
}

/** The findings of a check. */
export interface Found {
  /** What cannot work. */
  readonly problems: readonly Problem[]
  /** What is valid but worth knowing. */
  readonly notices: readonly string[]
}

/** A check of the names in content: the first argument is the content being checked. Never throws. */
export type Check = (content: Content, world: World) => Found

/** An item that uses a name. */
export interface User {
  /** As messages refer to it: `rule 'Some.Id'`. */
  readonly label: string
  readonly file: string
}

/** The items that use each name, in the order of first use. */
export function usersByName<T extends User>(uses: readonly (readonly [name: string, user: T])[]): Map<string, T[]> {
  const users = new Map<string, T[]>()
  for (const [name, user] of uses) {
    const list = users.get(name)
    if (list) list.push(user)
    else users.set(name, [user])
  }
  return users
}

/** A problem about a name that several items may share: the first one's file, and the number of others. */
export function problemOfUsers(users: readonly User[], message: (who: string) => string): Problem {
  const [first, ...others] = users as [User, ...User[]]
  const who = others.length === 0 ? first.label : `${first.label} and ${others.length} more`
  return { file: first.file, line: undefined, message: message(who) }
}
