import type { CompiledSchema } from '../../model/schema.ts'
import type { LoadedTable } from '../compile.ts'
import type { Content, Problem } from '../content.ts'

/** What names in content may refer to. */
export interface World {
  /** Everything that `caracal up` would load, and what is checked. */
  readonly known: {
    readonly content: Content
    readonly schemas: ReadonlyMap<string, CompiledSchema>
    readonly tables: ReadonlyMap<string, LoadedTable>
  }
  /** Of the configuration. `undefined`: no name is checked that a source may answer to. */
  readonly sources: readonly { readonly log_types: readonly string[] }[] | undefined
  /** Of the configuration. `undefined`: names of destinations are not checked. */
  readonly destinations: readonly { readonly id: string }[] | undefined
}

/** What a check found. */
export interface Found {
  /** What cannot work. */
  readonly problems: readonly Problem[]
  /** What is in order but worth knowing. */
  readonly notices: readonly string[]
}

/** A check of the names in content: the first argument is what is checked. Never throws. */
export type Check = (content: Content, world: World) => Found

/** An item that uses a name. */
export interface User {
  /** As messages call it: `rule 'Some.Id'`. */
  readonly label: string
  readonly file: string
}

/** The items that use each name, in the order of their first use. */
export function usersByName<T extends User>(uses: readonly (readonly [name: string, user: T])[]): Map<string, T[]> {
  const users = new Map<string, T[]>()
  for (const [name, user] of uses) {
    const list = users.get(name)
    if (list) list.push(user)
    else users.set(name, [user])
  }
  return users
}

/** A problem about a name that several items may share: the first one's file, and how many more there are. */
export function problemOfUsers(users: readonly User[], message: (who: string) => string): Problem {
  const [first, ...others] = users as [User, ...User[]]
  const who = others.length === 0 ? first.label : `${first.label} and ${others.length} more`
  return { file: first.file, line: undefined, message: message(who) }
}
