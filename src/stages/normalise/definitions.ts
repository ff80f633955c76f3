import { ConfigError } from '../../util/errors.ts'
import type { ValueInput } from './document.ts'

/** What reading a value needs to know about the rest of its file. */
export interface RefContext {
  readonly file: string
  readonly definitions: Readonly<Record<string, ValueInput>>
  /** The definitions that contain this value, outermost first. */
  readonly inside?: readonly string[]
  /** Number of references resolved so far; shared by all values of a file. */
  readonly count: { resolved: number }
}

/** Definitions that use each other grow with every level; no log has this many fields. */
const MAX_REFERENCES = 2000

/**
 * The value that a reference stands for, with what reading it needs: path and context.
 *
 * Throws `ConfigError` if there is no such definition, or if it contains itself.
 */
export function resolveRef<Context extends RefContext>(
  value: ValueInput,
  path: string,
  context: Context,
): [ValueInput, string, Context] {
  const { file, definitions, inside = [], count } = context
  const at = { file, path }
  const { target } = value
  const extra = Object.keys(value).find((key) => !OF_REFERENCES.has(key))
  if (target === undefined) throw new ConfigError('type ref needs `target`, a name in `definitions`', at)
  if (extra !== undefined) throw new ConfigError(`\`${extra}\` belongs to the definition of '${target}', not to a reference`, at)
  if (!Object.hasOwn(definitions, target)) {
    const names = Object.keys(definitions)
    throw new ConfigError(
      `there is no definition '${target}'${names.length > 0 ? `: use one of ${names.join(', ')}` : ': write `definitions`'}`,
      at,
    )
  }
  if (inside.includes(target)) {
    const circle = [...inside.slice(inside.indexOf(target)), target].join(' → ')
    throw new ConfigError(`the definition '${target}' contains itself (${circle}): use type json where it does`, at)
  }
  if (++count.resolved > MAX_REFERENCES)
    throw new ConfigError(`the schema has more than ${MAX_REFERENCES} references, counting those within definitions`, at)
  return [definitions[target]!, `definitions.${target}`, { ...context, inside: [...inside, target] }]
}

/** Keys that a field has besides its value. */
const OF_REFERENCES: ReadonlySet<string> = new Set([
  'type',
  'target',
  'description',
  'name',
  'required',
  'isEventTime',
  'isExpiration',
  'rename',
  'copy',
  'concat',
  'split',
  'mask',
])
