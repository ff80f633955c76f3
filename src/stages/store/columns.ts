import type { Column, TableSpec } from '../../model/column.ts'
import { Refused } from '../../util/errors.ts'
import { quoteName, type StoredColumn, storedColumnsOf, tableName, typeOf } from './ddl.ts'

/**
 * How a stored table follows its spec. A column whose new type can represent all of its values is changed in place. Any other
 * change of type renames the column to `p_was_<n>_<type>_<name>` and adds a new one under the old name, whose default reads the
 * old one. Late rows written for the old spec go into the old column.
 */

/** Engine type without `Nullable` → the word for it in the name of an old column. */
const WORDS: Readonly<Record<string, string>> = {
  String: 'string',
  Int16: 'int16',
  Int32: 'int32',
  Int64: 'int64',
  UInt64: 'uint64',
  Float64: 'float64',
  Bool: 'bool',
  "DateTime64(9, 'UTC')": 'time',
  'Array(String)': 'strings',
}

/** Integers, each containing the range of all before it. */
const INTEGERS = ['Int16', 'Int32', 'Int64']
const KEPT = /^p_was_(\d+)_[a-z0-9]+_(.+)$/s

/** True for a column that an earlier type left behind. */
export function isKept(name: string): boolean {
  return KEPT.test(name)
}

/** The query to run on the stored rows before a column may become unsigned: is any value negative? */
export type HasNegative = (column: string) => Promise<boolean>

/**
 * The statements that change a stored table to match its spec. `late`: rows of the spec were finished before another spec replaced it, so
 * no column changes its type if an existing one can hold the values. `into`: the table, if it is only a part of the spec's. Throws `Refused`
 * for impossible changes.
 */
export async function alterations(
  spec: TableSpec,
  stored: readonly StoredColumn[],
  hasNegative: HasNegative,
  { late = false, into = tableName(spec) }: { readonly late?: boolean; readonly into?: string } = {},
): Promise<string[]> {
  const renames: string[] = []
  const commands: string[] = []
  for (const column of storedColumnsOf(spec)) {
    const existing = stored.find(({ name }) => name === column.name)
    const wants = typeOf(column)
    const name = quoteName(column.name)
    if (!existing) {
      const kept = keptOf(column.name, stored)
      commands.push(`ADD COLUMN IF NOT EXISTS ${name} ${wants}${kept.length > 0 ? defaultOf(kept, wants) : ''}`)
      continue
    }
    if (holds(existing.type, wants) || (late && takes(column, stored) !== undefined)) continue
    if (column.name === spec.timeColumn || existing.isKey) {
      throw new Refused(
        `lake table ${spec.database}.${spec.table} is ordered by '${column.name}', kept as ${existing.type}: the schema cannot make it ${wants}; give the field a new name`,
      )
    }
    if (await isWidening(existing, wants, hasNegative)) commands.push(`MODIFY COLUMN ${name} ${wants}`)
    else {
      const old = { name: keptName(existing, stored), type: existing.type }
      renames.push(`RENAME COLUMN ${name} TO ${quoteName(old.name)}`)
      const kept = [...keptOf(column.name, stored), old]
      commands.push(`ADD COLUMN ${name} ${wants}${defaultOf(kept, wants)} AFTER ${quoteName(old.name)}`)
    }
  }
  // In one statement the engine (26.7) would use the new column's type for the old one during the rename. If interrupted between the two
  // statements, the next call finds the old column without the new one, and adds that.
  return [renames, commands].flatMap((list) => (list.length > 0 ? [`ALTER TABLE ${into} ${list.join(', ')}`] : []))
}

/** The stored columns for the values of the spec's columns, in order. Throws `Refused` if there is none. */
export function targetColumns(spec: TableSpec, stored: readonly StoredColumn[]): string[] {
  return spec.columns.map((column) => {
    const target = takes(column, stored)
    if (target !== undefined) return target
    throw new Refused(
      `lake table ${spec.database}.${spec.table} has no column for '${column.name}' of kind ${column.kind}: the schema has changed since`,
    )
  })
}

function takes(column: Column, stored: readonly StoredColumn[]): string | undefined {
  const wants = typeOf(column)
  const now = stored.find(({ name }) => name === column.name)
  if (now && holds(now.type, wants)) return now.name
  const kept = keptOf(column.name, stored).findLast(({ type }) => holds(type, wants))
  if (kept) return kept.name
  // Became unsigned in place: no value was negative.
  return now && bare(now.type) === 'UInt64' && INTEGERS.includes(bare(wants)) ? now.name : undefined
}

/** Some values of the column cannot be stored as `type`: see `takes`. */
export function isNarrowing(column: Column, type: string): boolean {
  return !holds(type, typeOf(column))
}

/** True if every value of type `wanted` can be stored as `type`. */
function holds(type: string, wanted: string): boolean {
  if (type === wanted || type === `Nullable(${wanted})`) return true
  const canBeNull = type !== bare(type) || wanted === bare(wanted)
  const at = INTEGERS.indexOf(bare(wanted))
  return canBeNull && at >= 0 && INTEGERS.indexOf(bare(type)) >= at
}

async function isWidening(existing: StoredColumn, wants: string, hasNegative: HasNegative): Promise<boolean> {
  const { name, type } = existing
  if (holds(wants, type)) return true
  if (bare(wants) !== 'UInt64' || !INTEGERS.includes(bare(type)) || (type !== bare(type) && wants === bare(wants))) return false
  return !(await hasNegative(name))
}

function bare(type: string): string {
  return /^Nullable\((.*)\)$/.exec(type)?.[1] ?? type
}

/** Columns of a field's earlier types, oldest first. */
function keptOf(name: string, stored: readonly StoredColumn[]): StoredColumn[] {
  const number = (column: StoredColumn) => Number(KEPT.exec(column.name)![1])
  return stored.filter((column) => KEPT.exec(column.name)?.[2] === name).sort((a, b) => number(a) - number(b))
}

function keptName({ name, type }: StoredColumn, stored: readonly StoredColumn[]): string {
  return `p_was_${keptOf(name, stored).length + 1}_${WORDS[bare(type)] ?? 'other'}_${name}`
}

/** The oldest existing value is the one that was sent. */
function defaultOf(kept: readonly StoredColumn[], wants: string): string {
  const values = kept.map((column) => converted(column, bare(wants)))
  const first = values.length === 1 ? values[0]! : `coalesce(${values.join(', ')})`
  if (wants === 'Array(String)') return ` DEFAULT ${converted(kept.at(-1)!, wants)}`
  return ` DEFAULT ${first}`
}

/** SQL for an old value as a value of type `to`, NULL if it does not convert. */
function converted({ name, type }: StoredColumn, to: string): string {
  const x = quoteName(name)
  const from = bare(type)
  if (from === to) return x
  if (from === 'Array(String)') return to === 'String' ? `if(empty(${x}), NULL, toJSONString(${x}))` : 'NULL'
  if (to === 'Array(String)') {
    const text = `ifNull(${converted({ name, type }, 'String')}, '')`
    return `if(startsWith(${text}, '['), JSONExtract(${text}, 'Array(String)'), arrayFilter(v -> v != '', [${text}]))`
  }
  if (to === 'String')
    return from.startsWith('DateTime64')
      ? `concat(replaceRegexpOne(replaceOne(toString(${x}), ' ', 'T'), '\\\\.?0+$', ''), 'Z')`
      : `toString(${x})`
  if (to.startsWith('DateTime64'))
    return from === 'String'
      ? `if(match(${x}, '^\\\\d{4}-\\\\d\\\\d-\\\\d\\\\d'), parseDateTime64BestEffortOrNull(${x}, 9, 'UTC'), NULL)`
      : 'NULL'
  if (from.startsWith('DateTime64')) return 'NULL'
  if (to === 'Bool') {
    const [yes, no] = from === 'String' ? ["'true'", "'false'"] : ['1', '0']
    return `multiIf(${x} = ${yes}, true, ${x} = ${no}, false, NULL)`
  }
  return `accurateCastOrNull(${x}, '${to}')`
}
