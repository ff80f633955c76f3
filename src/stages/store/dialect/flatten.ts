import { quoteName } from '../ddl.ts'
import { type Node, textLiteral, variant } from './ast.ts'
import { translateNested } from './expression.ts'
import { readKeys } from './functions/list.ts'
import type { Field, Scope } from './scope.ts'
import { asTexts, type Value } from './value.ts'

const KNOWN = new Set(['input', 'path', 'outer', 'mode', 'recursive'])

/** The members of FLATTEN's input as the engine's list of (key, value, index), and the shape of the values. */
export function flattenSql(
  args: ReadonlyMap<string, Node>,
  scope: Scope,
): { list: string; shape: 'json' | 'text'; outer: boolean } {
  const { context } = scope
  const odd = [...args.keys()].find((name) => !KNOWN.has(name))
  if (odd) context.unsupported(`FLATTEN with ${odd}`)
  if (isTrue(args.get('recursive'))) context.unsupported('FLATTEN with recursive')
  const mode = args.has('mode') ? textLiteral(args.get('mode'))?.toUpperCase() : 'BOTH'
  if (mode !== 'BOTH' && mode !== 'ARRAY') context.unsupported(`FLATTEN with the mode ${mode}`)
  const whole = translateNested(args.get('input'), scope)
  const path = args.has('path') ? textLiteral(args.get('path')) : ''
  if (path === undefined || !/^(?:\w+(?:\.\w+)*)?$/.test(path)) context.unsupported('FLATTEN with that path')
  const input = path ? readKeys(whole, path.split('.')) : whole
  return { ...membersSql(input), outer: isTrue(args.get('outer')) }
}

const TYPE = 'Array(Tuple(key Nullable(String), value Nullable(String), `index` Nullable(Int64)))'

function membersSql(input: Value): { list: string; shape: 'json' | 'text' } {
  const nested = input.shape === 'json' || input.shape === 'text'
  const items = nested ? `JSONExtractArrayRaw(ifNull(${input.sql}, ''))` : asTexts(input)
  const array = `CAST(arrayMap((v, i) -> (NULL, v, i - 1), ${items}, arrayEnumerate(${items})), '${TYPE}')`
  if (!nested) return { list: array, shape: 'text' }
  const pairs = `arrayMap(p -> (p.1, p.2, NULL), JSONExtractKeysAndValuesRaw(ifNull(${input.sql}, '')))`
  return { list: `arrayConcat(${array}, CAST(${pairs}, '${TYPE}'))`, shape: 'json' }
}

/** The columns of a flattened relation. `this` and `path` are omitted: they only copy what the query already has. */
export function flattenFields(alias: string, shape: 'json' | 'text'): Field[] {
  const read = (name: string, kind: Field['shape']): Field => ({
    name,
    shape: kind,
    sql: `tupleElement(${quoteName(alias)}, '${name}')`,
  })
  return [read('key', 'text'), read('index', 'number'), read('value', shape)]
}

function isTrue(node: Node): boolean {
  const { tag, body } = variant(node)
  return tag === 'Value' && variant((body as { value?: Node }).value).body === true
}
