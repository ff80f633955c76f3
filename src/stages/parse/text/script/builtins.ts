import {
  asInteger,
  asText,
  type Callable,
  type Dict,
  decodeJson,
  elementsOf,
  encodeJson,
  fail,
  isNumber,
  isTrue,
  keyOf,
  reprOf,
  sizeOf,
  spend,
  textOf,
  typeOf,
  type Value,
} from './values.ts'

/** Longer ranges would only use up the limit of steps. */
const MAX_RANGE = 100_000

function range(given: readonly Value[]): Value[] {
  const [from, to, step = 1] = given.length === 1 ? [0, given[0]!] : given
  const [first, end, by] = [asInteger(from), asInteger(to), asInteger(step)]
  const count = by === 0 ? fail('range with a step of 0') : Math.max(0, Math.ceil((end - first) / by))
  if (count > MAX_RANGE) return fail(`a range has at most ${MAX_RANGE} numbers`)
  return Array.from({ length: count }, (_, i) => first + i * by)
}

function integer([value, base = 10]: readonly Value[]): Value {
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Math.trunc(value)
  const text = asText(value).trim()
  const digits = text.replace(/^[+-]/, '').replace(/^0x(?=[0-9a-f])/i, base === 16 ? '' : '0x')
  const isValid = base === 16 ? /^[0-9a-f]{1,300}$/i.test(digits) : /^\d{1,300}$/.test(digits)
  if (!isValid) return fail(`${reprOf(text.slice(0, 60))} is not an int`)
  const exact = BigInt(base === 16 ? `0x${digits}` : digits) * (text.startsWith('-') ? -1n : 1n)
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}

function float([value]: readonly Value[]): Value {
  const number =
    typeof value === 'string' && value.trim() !== '' ? Number(value) : isNumber(value ?? null) ? Number(value) : Number.NaN
  return Number.isFinite(number) ? number : fail(`${reprOf(value ?? null).slice(0, 60)} is not a float`)
}

export function compare(a: Value, b: Value): number {
  spend(1 + Math.min(sizeOf(a), sizeOf(b)))
  if ((isNumber(a) && isNumber(b)) || (typeof a === 'string' && typeof b === 'string')) return a < b ? -1 : a > b ? 1 : 0
  return fail(`${typeOf(a)} and ${typeOf(b)} have no order`)
}

function extreme(given: readonly Value[], sign: number): Value {
  const all = given.length === 1 ? elementsOf(given[0]) : given
  if (all.length === 0) return fail('min and max need a value')
  return all.reduce((best, one) => (compare(one, best) * sign > 0 ? one : best))
}

function length([value]: readonly Value[]): Value {
  return typeof value === 'string' ? value.length : value instanceof Map ? value.size : elementsOf(value).length
}

function zip(lists: readonly Value[]): Value[] {
  const all = lists.map(elementsOf)
  const count = all.length === 0 ? 0 : Math.min(...all.map(({ length }) => length))
  spend(count * all.length)
  return Array.from({ length: count }, (_, i) => all.map((list) => list[i]!))
}

function dict([from]: readonly Value[]): Value {
  const pairs: readonly Value[] = from instanceof Map ? [...from] : from === undefined ? [] : elementsOf(from)
  const made: Dict = new Map()
  for (const pair of pairs) made.set(keyOf(elementsOf(pair)[0] ?? null), elementsOf(pair)[1] ?? null)
  return made
}

/** What every script can call. */
export const builtins: Readonly<Record<string, Value>> = {
  len: length,
  str: ([value = '']) => textOf(value),
  repr: ([value = null]) => reprOf(value),
  int: integer,
  float,
  bool: ([value = null]) => isTrue(value),
  type: ([value = null]) => typeOf(value),
  list: ([value]) => (value === undefined ? [] : [...elementsOf(value)]),
  tuple: ([value]) => (value === undefined ? [] : [...elementsOf(value)]),
  dict,
  range,
  enumerate: ([list, from = 0]) => elementsOf(list).map((one, i) => [asInteger(from) + i, one]),
  zip,
  sorted: ([list]) => [...elementsOf(list)].sort(compare),
  reversed: ([list]) => [...elementsOf(list)].reverse(),
  min: (given) => extreme(given, -1),
  max: (given) => extreme(given, 1),
  abs: ([value]) => (typeof value === 'number' ? Math.abs(value) : fail('abs needs a number')),
  any: ([list]) => elementsOf(list).some(isTrue),
  all: ([list]) => elementsOf(list).every(isTrue),
  fail: ([message = '']) => fail(textOf(message)),
}

/** Members of the modules that scripts can use. */
export const modules: Readonly<Record<string, Readonly<Record<string, Callable>>>> = {
  json: { decode: decodeJson, encode: encodeJson },
  base64: {
    decode: ([text]) => Buffer.from(asText(text), 'base64').toString('utf8'),
    encode: ([text]) => Buffer.from(asText(text)).toString('base64'),
  },
}
