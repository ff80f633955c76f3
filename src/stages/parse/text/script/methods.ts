import {
  asInteger,
  asText,
  type Callable,
  type Dict,
  elementsOf,
  fail,
  isEqual,
  keyOf,
  sizeOf,
  spend,
  spendSearch,
  type Value,
} from './values.ts'

type Method<T> = (self: T, given: readonly Value[]) => Value

/** The text to search for, whose search is counted. */
function sought(text: string, part: Value | undefined): string {
  const one = asText(part)
  spendSearch(text, one)
  return one
}

function trimmed(text: string, given: readonly Value[], isStart: boolean, isEnd: boolean): string {
  const drops = new Set(given[0] === undefined || given[0] === null ? ' \t\n\r\v\f' : asText(given[0]))
  let [from, to] = [0, text.length]
  while (isStart && from < to && drops.has(text[from]!)) from++
  while (isEnd && to > from && drops.has(text[to - 1]!)) to--
  return text.slice(from, to)
}

function split(text: string, [separator, most]: readonly Value[]): Value[] {
  const limit = most === undefined || most === null ? -1 : asInteger(most)
  const parts: string[] = []
  if (separator === undefined || separator === null) {
    let rest = text.trimStart()
    while (rest !== '' && parts.length !== limit) {
      const word = /^\S+/.exec(rest)![0]
      parts.push(word)
      rest = rest.slice(word.length).trimStart()
    }
    return rest === '' ? parts : [...parts, rest]
  }
  const by = sought(text, separator)
  if (by === '') return fail('split by an empty text')
  if (limit < 0) return text.split(by)
  let at = 0
  for (let next = text.indexOf(by); next >= 0 && parts.length < limit; next = text.indexOf(by, at)) {
    parts.push(text.slice(at, next))
    at = next + by.length
  }
  return [...parts, text.slice(at)]
}

function partition(text: string, separator: string, at: number, whole: readonly [string, string, string]): Value[] {
  return at < 0 ? [...whole] : [text.slice(0, at), separator, text.slice(at + separator.length)]
}

function affix(given: Value | undefined, test: (one: string) => boolean): boolean {
  return Array.isArray(given) ? given.some((one) => test(asText(one))) : test(asText(given))
}

const ofTexts: Readonly<Record<string, Method<string>>> = {
  lower: (s) => s.toLowerCase(),
  upper: (s) => s.toUpperCase(),
  strip: (s, given) => trimmed(s, given, true, true),
  lstrip: (s, given) => trimmed(s, given, true, false),
  rstrip: (s, given) => trimmed(s, given, false, true),
  split,
  splitlines: (s) => s.replace(/\n$/, '').split('\n'),
  partition: (s, [by]) => partition(s, asText(by), s.indexOf(sought(s, by)), [s, '', '']),
  rpartition: (s, [by]) => partition(s, asText(by), s.lastIndexOf(sought(s, by)), ['', '', s]),
  startswith: (s, [one]) => affix(one, (prefix) => s.startsWith(prefix)),
  endswith: (s, [one]) => affix(one, (suffix) => s.endsWith(suffix)),
  removeprefix: (s, [one]) => (s.startsWith(asText(one)) ? s.slice(asText(one).length) : s),
  removesuffix: (s, [one]) => (asText(one) !== '' && s.endsWith(asText(one)) ? s.slice(0, -asText(one).length) : s),
  find: (s, [one]) => s.indexOf(sought(s, one)),
  rfind: (s, [one]) => s.lastIndexOf(sought(s, one)),
  count: (s, [one]) => (asText(one) === '' ? s.length + 1 : s.split(sought(s, one)).length - 1),
  replace: (s, [from, to]) => {
    if (asText(from) === '') return fail('replace of an empty text')
    const parts = s.split(sought(s, from))
    spend(parts.length * (1 + asText(to).length))
    return parts.join(asText(to))
  },
  join: (s, [list]) => {
    const texts = elementsOf(list).map(asText)
    spend(texts.reduce((sum, one) => sum + one.length + s.length, 0))
    return texts.join(s)
  },
  isdigit: (s) => /^\d+$/.test(s),
  isalpha: (s) => /^\p{L}+$/u.test(s),
  isalnum: (s) => /^[\p{L}\p{N}]+$/u.test(s),
  isspace: (s) => /^\s+$/.test(s),
}

const ofLists: Readonly<Record<string, Method<Value[]>>> = {
  append: (list, [one]) => {
    list.push(one ?? null)
    return null
  },
  extend: (list, [more]) => {
    for (const one of [...elementsOf(more)]) list.push(one)
    return null
  },
  pop: (list, [at]) =>
    list.splice(at === undefined ? -1 : asInteger(at), 1)[0] ?? (list.length === 0 ? fail('pop from an empty list') : null),
  index: (list, [one]) => {
    const at = list.findIndex((other) => isEqual(other, one ?? null))
    return at < 0 ? fail('the value is not in the list') : at
  },
}

const ofDicts: Readonly<Record<string, Method<Dict>>> = {
  get: (dict, [key, other = null]) => dict.get(keyOf(key ?? null)) ?? other,
  keys: (dict) => [...dict.keys()],
  values: (dict) => [...dict.values()],
  items: (dict) => [...dict].map(([key, value]) => [key, value]),
  pop: (dict, [key, other]) => {
    const value = dict.get(keyOf(key ?? null)) ?? other
    dict.delete(keyOf(key ?? null))
    return value === undefined ? fail('there is no such key') : value
  },
  setdefault: (dict, [key, value = null]) => {
    if (!dict.has(keyOf(key ?? null))) dict.set(keyOf(key ?? null), value)
    return dict.get(keyOf(key ?? null))!
  },
  update: (dict, [more]) => {
    if (!(more instanceof Map)) return fail('update needs a dict')
    for (const [key, value] of more) dict.set(key, value)
    return null
  },
}

/** The method of a text, a list or a dict, or `undefined` if no method has this name. */
export function methodOf(value: Value, name: string): Callable | undefined {
  const find = <T>(methods: Readonly<Record<string, Method<T>>>, self: T): Callable | undefined =>
    Object.hasOwn(methods, name)
      ? (given) => {
          spend(sizeOf(value))
          return methods[name]!(self, given)
        }
      : undefined
  if (typeof value === 'string') return find(ofTexts, value)
  if (Array.isArray(value)) return find(ofLists, value)
  return value instanceof Map ? find(ofDicts, value) : undefined
}
