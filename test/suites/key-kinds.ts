import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { expect } from 'vitest'
import { AddressBatch } from '../../src/stages/enrich/tables/address-batch.ts'
import { type KeyIndex, type KeyKind, keyKinds, openIndex } from '../../src/stages/enrich/tables/index.ts'
import { createSlice } from '../../src/util/slice.ts'
import type { Behaviour, Suite } from './behaviours.ts'

export type AnyKind = KeyKind<string>

/** Properties of a kind's keys, for a linear search. */
export interface Fitting {
  /** Texts that are keys, or almost. */
  readonly key: fc.Arbitrary<string>
  /** Values of events. */
  readonly value: fc.Arbitrary<string>
  /** The normal form shared by all spellings of a key; `undefined` if the text is not a key. */
  readonly canonical: (key: string) => string | undefined
  /** How well a key fits a value; negative if it does not. */
  readonly rank: (key: string, value: string) => number
}

// Few characters, so that keys are often equal or almost. `ẞ`, `İ` and `ς` change their length or meaning with their case.
const word = fc.string({
  unit: fc.constantFrom('a', 'A', 'b', ' ', '.', 'é', 'É', 'İ', 'ς', 'Σ', 'ẞ', '\0', '\ud800', '🂡'),
  maxLength: 4,
})

const octet = fc.constantFrom(0, 1, 10, 127, 128, 255)
const v4 = fc.tuple(fc.constantFrom(10, 11), octet, octet, octet).map((parts) => parts.join('.'))
const group = fc.constantFrom('0', '1', '8000', 'ffff')
const v6 = fc.tuple(fc.constantFrom('2001:db8', '0:0', 'FFFF:ffff'), group, group).map(([head, a, b]) => `${head}:${a}::${b}`)
const mapped = v4.map((address) => `::ffff:${address}`)
const address = fc.oneof(v4, v6, mapped)
const noAddress = fc.constantFrom('', 'x', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.1 ', '::1%eth0', '[::1]', '1.2.3.4:80')
const network = fc.oneof(
  fc.tuple(v4, fc.nat(33)).map(([one, bits]) => `${one}/${bits}`),
  fc.tuple(v6, fc.nat(129)).map(([one, bits]) => `${one}/${bits}`),
)
const range = fc.tuple(v4, v4).map(([from, to]) => `${from}-${to}`)

/** An address as bits, with prefixes such as `::ffff:` removed. */
function bitsOf(text: string): string | undefined {
  const isStrict = /^\d+\.\d+\.\d+\.\d+$/.test(text) ? !/\b0\d/.test(text) : /^[\da-f:.]+$/i.test(text) && text.includes(':')
  if (!isStrict || !ipaddr.isValid(text)) return undefined
  return ipaddr
    .process(text)
    .toByteArray()
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
}

/** First and last address of a key, as bits. */
function spanOf(key: string): { readonly first: string; readonly last: string } | undefined {
  const [from, to] = key.split('-').map(bitsOf)
  if (key.includes('-')) return from && to && from.length === to.length && from <= to ? { first: from, last: to } : undefined
  const [text, length] = key.split('/')
  const own = bitsOf(text!)
  if (own === undefined) return undefined
  const bits = length === undefined ? own.length : Number(length)
  if (bits > own.length) return undefined
  return { first: own.slice(0, bits).padEnd(own.length, '0'), last: own.slice(0, bits).padEnd(own.length, '1') }
}

const portIn = (text: string): number => {
  const digits = /(?:^|:)(\d{1,5})$/.exec(text)?.[1]
  return digits === undefined || Number(digits) > 0xffff ? -1 : Number(digits)
}

const port = fc.constantFrom('22', '0', '65535', '65536', '022', '99999', '123456', '', 'x', '2 2')

const domain = fc
  .array(fc.constantFrom('a', 'B', 'b', 'a-1', '_x'), { minLength: 1, maxLength: 4 })
  .chain((labels) => fc.constantFrom('', '.').map((end) => labels.join('.') + end))
const noDomain = fc.constantFrom('', '.', 'a..b', 'a b', 'a/b', 'a:80', '*', 'x'.repeat(300))

/** The domain name in a key. */
function domainOf(key: string): string | undefined {
  const name = key
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
  return /^[a-z\d_-]+(\.[a-z\d_-]+)*$/.test(name) && name.length < 255 ? name : undefined
}

const SUFFIXES = ['com', 'co.uk', 'uk', 'github.io', 'io']
const hostname = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'X1', 'b-2'), { maxLength: 3 }),
    fc.constantFrom(...SUFFIXES, 'co.UK'),
    fc.constantFrom('', '.'),
  )
  .map(([labels, suffix, end]) => [...labels, suffix].join('.') + end)

/** The longest suffix of the name with one more label. */
function registrableOf(name: string): string | undefined {
  const clean = domainOf(name)
  const suffix = SUFFIXES.filter((one) => clean === one || clean?.endsWith(`.${one}`)).sort((a, b) => b.length - a.length)[0]
  const label =
    suffix &&
    clean
      ?.slice(0, -suffix.length - 1)
      .split('.')
      .at(-1)
  return label ? `${label}.${suffix}` : undefined
}

const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 7 })

const FITTINGS: Readonly<Record<string, Fitting>> = {
  exact: { key: word, value: word, canonical: (key) => key, rank: (key, value) => (key === value ? 0 : -1) },
  ignore_case: {
    key: word,
    value: word,
    canonical: (key) => key.toLowerCase(),
    rank: (key, value) => (key.toLowerCase() === value.toLowerCase() ? 0 : -1),
  },
  ip: {
    key: fc.oneof(address, noAddress, network),
    value: fc.oneof(address, noAddress),
    canonical: bitsOf,
    rank: (key, value) => (bitsOf(key) !== undefined && bitsOf(key) === bitsOf(value) ? 0 : -1),
  },
  cidr: {
    key: fc.oneof(address, noAddress, network, network),
    value: fc.oneof(address, noAddress),
    canonical(key) {
      const span = spanOf(key)
      return span && `${span.first}-${span.last}`
    },
    rank(key, value) {
      const [span, bits] = [spanOf(key), bitsOf(value)]
      if (!span || bits === undefined || bits.length !== span.first.length || bits < span.first || bits > span.last) return -1
      let length = 0
      while (length < span.first.length && span.first[length] === span.last[length]) length++
      return length
    },
  },
  domain: {
    key: fc.oneof(
      domain,
      fc.tuple(fc.constantFrom('*.', '.', '**.', ''), domain).map((parts) => parts.join('')),
      noDomain,
    ),
    value: fc.oneof(domain, noDomain),
    canonical: domainOf,
    rank(key, value) {
      const [own, name] = [domainOf(key), value.toLowerCase().replace(/\.$/, '')]
      return own !== undefined && `.${name}`.endsWith(`.${own}`) ? own.length : -1
    },
  },
  registrable_domain: {
    key: fc.oneof(hostname, noDomain, fc.constant('192.0.2.1')),
    value: fc.oneof(hostname, noDomain, fc.constant('192.0.2.1')),
    canonical: (key) => (registrableOf(key) === domainOf(key) ? domainOf(key) : undefined),
    rank: (key, value) =>
      registrableOf(key) === domainOf(key) && domainOf(key) !== undefined && registrableOf(value) === domainOf(key) ? 0 : -1,
  },
  glob: {
    key: pattern,
    value: fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '\n'), maxLength: 8 }),
    canonical: (key) => key.replaceAll(/\*+/g, '*'),
    rank(key, value) {
      const source = key.replaceAll(/[^*?]/g, (own) => `\\u{${own.codePointAt(0)!.toString(16)}}`)
      const isFitting = new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su').test(value)
      return isFitting ? key.replaceAll(/[*?]/g, '').length : -1
    },
  },
  port: {
    key: port,
    value: fc.oneof(
      port,
      fc.tuple(fc.constantFrom('10.0.0.1:', '[::]:', ':::', ':'), port).map((parts) => parts.join('')),
    ),
    canonical: (key) => (/^\d{1,5}$/.test(key) && portIn(key) >= 0 ? String(portIn(key)) : undefined),
    rank: (key, value) => (/^\d{1,5}$/.test(key) && portIn(key) >= 0 && portIn(key) === portIn(value) ? 0 : -1),
  },
}

export function fittingOf({ type }: AnyKind): Fitting {
  const fitting = FITTINGS[type]
  if (!fitting) throw new Error(`add to FITTINGS of test/suites/key-kinds.ts what the keys of '${type}' are`)
  return fitting
}

async function indexOf(kind: AnyKind, keys: readonly string[]): Promise<{ index: KeyIndex; accepted: boolean[] }> {
  const builder = kind.createBuilder()
  const accepted = keys.map((key, row) => builder.add(key, row))
  return { index: await builder.build(createSlice()), accepted }
}

/** The linear search: tries every key. The first of those that fit best wins, with the row that was added for it last. */
export function slowest({ rank, canonical }: Fitting, keys: readonly string[], value: string): number {
  let [best, found] = [-1, '']
  for (const key of keys) if (rank(key, value) > best) [best, found] = [rank(key, value), key]
  return best < 0 ? -1 : keys.findLastIndex((key) => canonical(key) === canonical(found))
}

/** Checks a property for many lists of keys and values. */
function forMany(kind: AnyKind, check: (keys: readonly string[], values: readonly string[], fitting: Fitting) => Promise<void>) {
  const fitting = fittingOf(kind)
  const lists = [fc.array(fitting.key, { maxLength: 40 }), fc.array(fitting.value, { minLength: 10, maxLength: 30 })] as const
  return fc.assert(
    fc.asyncProperty(...lists, (keys, values) => check(keys, [...values, ...keys], fitting)),
    { numRuns: 200, seed: 31 },
  )
}

const behaviours: readonly Behaviour<AnyKind>[] = [
  {
    name: 'finds what a comparison with every key finds',
    check: (kind) =>
      forMany(kind, async (keys, values, fitting) => {
        const { index } = await indexOf(kind, keys)
        expect(values.map((value) => index.find(value))).toEqual(values.map((value) => slowest(fitting, keys, value)))
      }),
  },
  {
    name: 'refuses what is no key, and counts each key once, however it is spelt',
    check: (kind) =>
      forMany(kind, async (keys, _, { canonical }) => {
        const { index, accepted } = await indexOf(kind, keys)
        const known = keys.map(canonical)
        expect(accepted).toEqual(known.map((key) => key !== undefined))
        expect(index.size).toBe(new Set(known.filter((key) => key !== undefined)).size)
      }),
  },
  {
    name: 'has one form for all spellings of a key, and none for what is not a key',
    check: (kind) =>
      forMany(kind, async (keys, _, { canonical }) => {
        const groups = (form: (key: string) => string | undefined) =>
          keys.map((key) => form(key) && keys.findIndex((other) => form(other) === form(key)))
        expect(groups((key) => kind.canonical(key))).toEqual(groups(canonical))
      }),
  },
  {
    name: 'finds the same in another thread, which shares the memory',
    check: (kind) =>
      forMany(kind, async (keys, values) => {
        const { index } = await indexOf(kind, keys)
        const opened = openIndex(structuredClone(index.parts))
        expect(values.map((value) => opened.find(value))).toEqual(values.map((value) => index.find(value)))
        for (const array of arraysIn(index.parts)) expect(array.buffer).toBeInstanceOf(SharedArrayBuffer)
      }),
  },
  {
    name: 'finds the same for many addresses at once, if its keys are addresses',
    check: (kind) =>
      forMany(kind, async (keys, values) => {
        const { index } = await indexOf(kind, keys)
        if (!index.findAll) return
        const batch = new AddressBatch(values.length)
        const rows = new Int32Array(values.length)
        batch.read(values)
        index.findAll(batch, rows)
        expect([...rows]).toEqual(values.map((value) => index.find(value)))
      }),
  },
]

function arraysIn(parts: unknown): ArrayBufferView[] {
  if (ArrayBuffer.isView(parts)) return [parts]
  return typeof parts === 'object' && parts !== null ? Object.values(parts).flatMap(arraysIn) : []
}

/** Behaviours required of every kind of keys. */
export const keyKindSuite: Suite<AnyKind, AnyKind> = {
  kind: 'key kind',
  registry: keyKinds,
  subjectOf: (kind) => kind,
  behaviours,
}

/** Ranges become several networks, which are counted separately: so only lookups can be compared, not the size. */
export const rangeSuite: Suite<AnyKind, AnyKind> = {
  ...keyKindSuite,
  kind: 'key kind with ranges,',
  registry: keyKinds.filter(({ type }) => type === 'cidr'),
  behaviours: [
    {
      name: 'finds an address in a range, or in a range within it',
      check: (kind) =>
        fc.assert(
          fc.asyncProperty(
            fc.array(range, { maxLength: 1 }),
            fc.array(v4, { minLength: 20, maxLength: 20 }),
            async (keys, values) => {
              const { index } = await indexOf(kind, keys)
              expect(values.map((value) => index.find(value))).toEqual(
                values.map((value) => slowest(fittingOf(kind), keys, value)),
              )
            },
          ),
          { numRuns: 300, seed: 31 },
        ),
    },
  ],
}
