import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { defineTable } from '../definition.ts'
import { writeMmdb } from '../mmdb/mmdb.fixture.ts'
import { DIFFERENCES, diffContents } from './diff.ts'

function table(change: object = {}) {
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 'x',
    Filename: 'x.jsonl',
    Format: 'jsonl',
    LogTypeMap: { PrimaryKey: 'ip' },
    ...change,
  }
  return { definition: defineTable(document, { file: '/x.yml' }), schema: undefined }
}

const jsonl = (rows: readonly JsonObject[]) => ({ bytes: Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')) })
const text = (content: string) => ({ bytes: Buffer.from(content) })
const ALL = { added: 1000, removed: 1000, changed: 1000, worsened: 1000 }

test('keys that were added, removed or have another row are listed with their rows', async () => {
  const before = jsonl([
    { ip: '192.0.2.1', owner: 'ada' },
    { ip: '192.0.2.2', owner: 'bob' },
    { ip: '192.0.2.3', owner: 'cid' },
  ])
  const after = jsonl([
    { owner: 'cid', ip: '192.0.2.3' },
    { ip: '192.0.2.2', owner: 'eve' },
    { ip: '192.0.2.4', owner: 'dan' },
  ])
  expect(await diffContents(table(), before, after, ALL)).toEqual({
    counts: { added: 1, removed: 1, changed: 1, worsened: 0 },
    keys: {
      added: [{ key: '192.0.2.4', before: null, after: { ip: '192.0.2.4', owner: 'dan' } }],
      removed: [{ key: '192.0.2.1', before: { ip: '192.0.2.1', owner: 'ada' }, after: null }],
      changed: [{ key: '192.0.2.2', before: { ip: '192.0.2.2', owner: 'bob' }, after: { ip: '192.0.2.2', owner: 'eve' } }],
      worsened: [],
    },
  })
})

test('without a version before, every key is added, and limits bound the lists but not the counts', async () => {
  const diff = await diffContents(table(), undefined, jsonl([{ ip: '::1' }, { ip: '::2' }, { ip: '::3' }]), { added: 2 })
  expect(diff.counts.added).toBe(3)
  expect(diff.keys.added.map(({ key }) => key)).toEqual(['::1', '::2'])
})

test('spellings of one key are the same key, as in the table', async () => {
  const spelt = async (match: string, before: string, after: string) => {
    const { counts } = await diffContents(table({ Match: match }), jsonl([{ ip: before }]), jsonl([{ ip: after }]))
    return [counts.added, counts.removed, counts.changed]
  }
  expect(await spelt('ignore_case', 'Ada', 'ada')).toEqual([0, 0, 1])
  expect(await spelt('exact', 'Ada', 'ada')).toEqual([1, 1, 0])
  expect(await spelt('ip', '2001:DB8::0', '2001:db8::')).toEqual([0, 0, 1])
  expect(await spelt('cidr', '10.0.0.0/24', '10.0.0.0-10.0.0.255')).toEqual([0, 0, 1])
})

test.each([
  { verdict: { Column: 'score' }, before: { score: 10 }, after: { score: 90 }, worsened: 1 },
  { verdict: { Column: 'score' }, before: { score: 90 }, after: { score: 10 }, worsened: 0 },
  { verdict: { Column: 'score' }, before: {}, after: { score: '1' }, worsened: 1 },
  { verdict: { Column: 'tor' }, before: { tor: false }, after: { tor: true }, worsened: 1 },
  {
    verdict: { Column: 'class', Order: ['benign', 'malicious'] },
    before: { class: 'benign' },
    after: { class: 'Malicious' },
    worsened: 1,
  },
  {
    verdict: { Column: 'class', Order: ['benign', 'malicious'] },
    before: { class: 'new' },
    after: { class: 'benign' },
    worsened: 1,
  },
  {
    verdict: { Column: 'class', Order: ['benign', 'malicious'] },
    before: { class: 'malicious' },
    after: { class: 'x' },
    worsened: 0,
  },
  { verdict: undefined, before: { score: 1 }, after: { score: 2 }, worsened: 0 },
])('from $before to $after, $worsened are worse by $verdict', async ({ verdict, before, after, worsened }) => {
  const of = (row: object) => jsonl([{ ip: '192.0.2.1', ...row }])
  const diff = await diffContents(table(verdict && { Verdict: verdict }), of(before), of(after), ALL)
  expect([diff.counts.changed, diff.counts.worsened, diff.keys.worsened.length]).toEqual([1, worsened, worsened])
})

test('any two contents differ as a comparison key by key says', async () => {
  const row = fc.record({ ip: fc.nat(60).map((n) => `k${n}`), v: fc.nat(3) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 80, minLength: 1 }),
      fc.array(row, { maxLength: 80, minLength: 1 }),
      async (a, b) => {
        const { counts, keys } = await diffContents(table({ Verdict: { Column: 'v' } }), jsonl(a), jsonl(b), ALL)
        const rows = (list: typeof a, key: string) => list.filter(({ ip }) => ip === key)
        const said = (list: typeof a) => JSON.stringify(list.map(({ v }) => v).sort())
        const worst = (list: typeof a) => Math.max(...list.map(({ v }) => v))
        const found: Record<string, string[]> = { added: [], removed: [], changed: [], worsened: [] }
        for (const key of new Set([...b, ...a].map(({ ip }) => ip))) {
          const [was, is] = [rows(a, key), rows(b, key)]
          if (was.length === 0) found['added']!.push(key)
          else if (is.length === 0) found['removed']!.push(key)
          else if (said(was) !== said(is)) {
            found['changed']!.push(key)
            if (worst(is) > worst(was)) found['worsened']!.push(key)
          }
        }
        for (const one of DIFFERENCES) {
          expect(keys[one].map(({ key }) => key)).toEqual(found[one])
          expect(counts[one]).toBe(found[one]!.length)
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('rows that cannot be used do not count, and content that cannot be read is an error', async () => {
  const before = text('{"ip":"a"}\n{"no":1}\n')
  expect((await diffContents(table(), before, text('{"ip":"a"}\n'))).counts).toMatchObject({ added: 0, removed: 0, changed: 0 })
  await expect(diffContents(table({ Format: undefined, Filename: 'x' }), before, text('<html>'))).rejects.toThrow(/format/)
})

describe('of MaxMind databases', () => {
  const mmdb = (...networks: (readonly [string, JsonObject])[]) => ({ bytes: writeMmdb(networks) })
  const of = (before: ReturnType<typeof mmdb>, after: ReturnType<typeof mmdb>) =>
    diffContents(table({ Format: 'mmdb' }), before, after, ALL)

  test('networks are keys', async () => {
    const before = mmdb(['192.0.2.0/24', { n: 1 }], ['2001:db8::/32', { n: 1 }], ['198.51.100.7/32', { n: 1 }])
    const after = mmdb(
      ['192.0.2.0/24', { n: 2 }],
      ['2001:db8::/32', { n: 1 }],
      ['2001:db8:1:2::/64', { n: 1 }],
      ['fe80::/10', { n: 3 }],
    )
    const { keys } = await of(before, after)
    expect(keys.changed.map(({ key }) => key)).toEqual(['192.0.2.0/24'])
    expect(keys.removed.map(({ key }) => key)).toContain('198.51.100.7/32')
    expect(keys.added.map(({ key }) => key)).toEqual(expect.arrayContaining(['2001:db8:1:2::/64', 'fe80::/10']))
  })

  test('any database has exactly its networks', async () => {
    const network = fc
      .tuple(fc.nat(255), fc.nat(255), fc.nat(0xffff), fc.boolean())
      .map(([a, b, c, is4]) =>
        is4 ? `10.${a}.${b}.0/24` : `2001:${(a + 0x100).toString(16)}:${b.toString(16)}:${c.toString(16)}::/64`,
      )
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(network, { minLength: 1, maxLength: 20 }), async (networks) => {
        const file = mmdb(...networks.map((one) => [one, { n: 1 }] as const))
        const { keys } = await diffContents(table({ Format: 'mmdb' }), undefined, file, ALL)
        const spelt = (one: string) => (one.includes('::/64') ? new URL(`http://[${one.slice(0, -3)}]`).hostname : one)
        expect(new Set(keys.added.map(({ key }) => spelt(key)))).toEqual(new Set(networks.map(spelt)))
      }),
      { numRuns: 50 },
    )
  })
})
