import { describe, expect, test } from 'vitest'
import { type KeyIndex, type KeyIndexBuilder, type KeyKind, keyKinds } from '../../src/stages/enrich/tables/index.ts'
import { find } from '../../src/util/define.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { type AnyKind, keyKindSuite, rangeSuite } from './key-kinds.ts'

testSuite(keyKindSuite)
testSuite(rangeSuite)

/** A kind whose indexes have a fault. */
function faulty(type: KeyKind['type'], change: (builder: KeyIndexBuilder) => Partial<KeyIndexBuilder>): AnyKind {
  const whole = find('key kind', keyKinds, type)
  return {
    ...whole,
    createBuilder() {
      const inner = whole.createBuilder()
      const own = { add: inner.add.bind(inner), build: inner.build.bind(inner) }
      return { ...own, ...change(own) }
    },
  }
}

/** The index with some members replaced. */
const instead = (change: (index: KeyIndex) => Partial<KeyIndex>) => (builder: KeyIndexBuilder) => ({
  build: async (slice: Parameters<KeyIndexBuilder['build']>[0]): Promise<KeyIndex> => {
    const index = await builder.build(slice)
    const { parts, size } = index
    const all = index.findAll && { findAll: index.findAll.bind(index) }
    return { parts, size, find: (key) => index.find(key), ...all, ...change(index) }
  },
})

const FINDS = 'finds what a comparison with every key finds'
const REFUSES = 'refuses what is no key, and counts each key once, however it is spelt'

describe('the suite fails a kind of keys that', () => {
  test.each<[string, AnyKind, string]>([
    [
      'keeps the first of equal keys',
      faulty('exact', ({ add }) => {
        const seen = new Set<string>()
        return { add: (key, row) => seen.has(key) || add(key, seen.add(key) && row) }
      }),
      FINDS,
    ],
    ['minds the case', { ...find('key kind', keyKinds, 'exact'), type: 'ignore_case' }, FINDS],
    ['takes networks for addresses', { ...find('key kind', keyKinds, 'cidr'), type: 'ip' }, REFUSES],
    [
      'counts what it is given',
      faulty('port', ({ add, build }) => {
        let size = 0
        return {
          add: (key, row) => add(key, row) && ++size > 0,
          build: async (slice) => ({ ...(await instead(() => ({ size }))({ add, build }).build(slice)) }),
        }
      }),
      REFUSES,
    ],
    [
      'has arrays of its own',
      faulty(
        'exact',
        instead(({ parts }) => ({
          parts: structuredClone(parts.kind === 'texts' ? { ...parts, rows: new Int32Array(parts.rows) } : parts),
        })),
      ),
      'finds the same in another thread, which shares the memory',
    ],
    [
      'finds nothing in a batch',
      faulty(
        'cidr',
        instead(() => ({ findAll: (_, rows) => void rows.fill(-1) })),
      ),
      'finds the same for many addresses at once, if its keys are addresses',
    ],
  ])('%s', async (_, kind, behaviour) => {
    expect(await failedBy(keyKindSuite.behaviours, () => kind)).toContain(behaviour)
  })

  test('no kind without a fault', async () => {
    const whole = faulty('cidr', () => ({}))
    expect(await failedBy(keyKindSuite.behaviours, () => whole)).toEqual([])
  })
})
