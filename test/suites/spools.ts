import { expect, test } from 'vitest'
import type { SpoolBody, SpoolPlace } from '../../src/model/spool.ts'
import type { SpoolStore } from '../../src/pipeline/spool-store.ts'

/** A kind of spool. */
export interface SpoolHarness {
  /** Opens the spool of this name, which is new the first time. */
  open(name: string): Promise<SpoolStore>
}

const MIB = 1024 * 1024
const WAIT = { timeout: 30_000, interval: 20 }

export const bodyOf = (sourceId: string, text: string | Uint8Array): SpoolBody => ({
  sourceId,
  decoding: 'lines',
  receivedMs: 7,
  body: typeof text === 'string' ? new Uint8Array(Buffer.from(text)) : text,
})

/** Reads what there is after a place, range by range, and where it ends. `texts`: of at most 40 bytes each. */
export async function drained(spool: SpoolStore, sourceId: string, after?: SpoolPlace) {
  const texts: string[] = []
  const lost: string[] = []
  let place = after
  for (;;) {
    const range = await spool.next(sourceId, place)
    if (!range) return { texts, lost, place }
    const bodies = await spool.read(sourceId, range)
    texts.push(...bodies.rows.map(({ body, broken }) => broken ?? Buffer.from(body.subarray(0, 40)).toString()))
    lost.push(...[range.lost, bodies.lost].flatMap((message) => message ?? []))
    place = { epoch: range.epoch, id: range.to }
  }
}

/** What every spool does. */
export function spoolSuite(harness: SpoolHarness): void {
  let names = 0
  const newName = () => `suite-${++names}`

  test('bodies come back in order, with how to decode them and when they were received', async () => {
    const spool = await harness.open(newName())
    await spool.open('a')
    await Promise.all(
      ['one', 'two', 'three'].map((text, i) =>
        spool.append({ sourceId: 'a', decoding: `json?n=${i}`, receivedMs: 100 + i, body: new Uint8Array(Buffer.from(text)) }),
      ),
    )
    const range = (await spool.next('a', undefined))!
    const { rows } = await spool.read('a', range)
    expect(rows.map(({ decoding, receivedMs, body }) => [decoding, receivedMs, Buffer.from(body).toString()])).toEqual([
      ['json?n=0', 100, 'one'],
      ['json?n=1', 101, 'two'],
      ['json?n=2', 102, 'three'],
    ])
    expect([range.receivedMs, range.from, range.to]).toEqual([100, rows[0]!.id, rows[2]!.id])
    expect(await spool.next('a', { epoch: range.epoch, id: range.to })).toBeUndefined()
    await spool.close()
  })

  test('sources are apart from each other', async () => {
    const spool = await harness.open(newName())
    for (const text of ['a1', 'b1', 'a2']) {
      await spool.open(text[0]!)
      await spool.append(bodyOf(text[0]!, text))
    }
    expect((await drained(spool, 'a')).texts).toEqual(['a1', 'a2'])
    expect((await drained(spool, 'b')).texts).toEqual(['b1'])
    await spool.close()
  })

  test('an empty body and bytes that are no text are kept as they are', async () => {
    const spool = await harness.open(newName())
    const bodies = [new Uint8Array(), Uint8Array.from([0, 255, 10, 13, 128])]
    await spool.open('a')
    for (const body of bodies) await spool.append(bodyOf('a', Uint8Array.from(body)))
    const { rows } = await spool.read('a', (await spool.next('a', undefined))!)
    expect(rows.map(({ body }) => [...body])).toEqual(bodies.map((body) => [...body]))
    await spool.close()
  })

  test('a range has at most 1 MiB, unless one body is larger; a large body comes back whole', async () => {
    const spool = await harness.open(newName())
    const large = new Uint8Array(5 * MIB).map((_, i) => (i * 31) >>> 8)
    await spool.open('a')
    await spool.append(bodyOf('a', 'x'.repeat(700_000)))
    await spool.append(bodyOf('a', 'y'.repeat(700_000)))
    await spool.append(bodyOf('a', Uint8Array.from(large)))
    await spool.append(bodyOf('a', 'last'))
    const sizes: number[][] = []
    let place: SpoolPlace | undefined
    for (let range = await spool.next('a', place); range; range = await spool.next('a', place)) {
      const { rows } = await spool.read('a', range)
      sizes.push(rows.map(({ body }) => body.length))
      if (rows[0]!.body.length === large.length) expect(Buffer.compare(rows[0]!.body, large)).toBe(0)
      place = { epoch: range.epoch, id: range.to }
    }
    expect(sizes).toEqual([[700_000], [700_000], [5 * MIB], [4]])
    await spool.close()
  })

  test('a range that was recorded before a crash is read again as it was, also if it was not the last', async () => {
    const name = newName()
    const spool = await harness.open(name)
    await spool.open('a')
    await spool.append(bodyOf('a', 'x'.repeat(1_000_000)))
    for (const text of ['one', 'two']) await spool.append(bodyOf('a', text.padEnd(100_000)))
    const first = (await spool.next('a', undefined))!
    const second = (await spool.next('a', { epoch: first.epoch, id: first.to }))!
    await spool.close()
    const again = await harness.open(name)
    const texts = async (range: typeof first) =>
      (await again.read('a', range)).rows.map(({ body }) => Buffer.from(body.subarray(0, 3)).toString())
    expect([await texts(second), await texts(first)]).toEqual([['one', 'two'], ['xxx']])
    expect(await again.next('a', { epoch: second.epoch, id: second.to })).toBeUndefined()
    await again.close()
  })

  test('after a restart, reading goes on after the place, and what is freed does not come back', async () => {
    const name = newName()
    const spool = await harness.open(name)
    await spool.open('a')
    await spool.append(bodyOf('a', 'one'))
    const { place } = await drained(spool, 'a')
    await spool.append(bodyOf('a', 'two'))
    spool.free('a', place!)
    await expect.poll(() => spool.bytes('a'), WAIT).toBe(3)
    await spool.close()
    const again = await harness.open(name)
    expect((await drained(again, 'a', place)).texts).toEqual(['two'])
    await again.open('a')
    expect([again.bytes('a'), again.bytes()]).toEqual([3, 3])
    await again.close()
  })

  test('the waiting bytes are those that are not committed, however they were appended', async () => {
    const spool = await harness.open(newName())
    await spool.open('a')
    await spool.append(bodyOf('a', 'x'.repeat(1000)))
    await spool.append(bodyOf('a', 'x'.repeat(2 * MIB)))
    expect([spool.bytes('a'), spool.bytes('b'), spool.bytes()]).toEqual([1000 + 2 * MIB, 0, 1000 + 2 * MIB])
    const { place } = await drained(spool, 'a')
    expect(spool.bytes('a')).toBe(1000 + 2 * MIB)
    spool.free('a', place!)
    expect(spool.bytes()).toBe(0)
    await spool.close()
  })

  test('while bodies are kept, what is freed can still be read', async () => {
    const name = newName()
    const spool = await harness.open(name)
    await spool.open('a')
    for (const text of ['one', 'two']) await spool.append(bodyOf('a', text))
    const { place } = await drained(spool, 'a')
    spool.keep()
    spool.free('a', place!)
    await spool.scrub()
    expect((await drained(spool, 'a')).texts).toEqual(['one', 'two'])
    spool.release()
    await spool.close()
  })

  test('bodies up to an end wait until they are committed, whatever arrives after them', async () => {
    const spool = await harness.open(newName())
    await spool.open('a')
    await spool.append(bodyOf('a', 'before'))
    const ends = await spool.ends()
    expect(Object.keys(ends)).toEqual(['a'])
    expect(await spool.waits(ends)).toBe(true)
    const { place } = await drained(spool, 'a')
    await spool.append(bodyOf('a', 'after'))
    expect(await spool.waits(ends)).toBe(true)
    spool.free('a', place!)
    expect(await spool.waits(ends)).toBe(false)
    await spool.close()
  })

  test('a range of a spool that is gone is reported as lost', async () => {
    const spool = await harness.open(newName())
    await spool.open('a')
    await spool.append(bodyOf('a', 'new'))
    const { rows, lost } = await spool.read('a', { epoch: 'kafka:another', from: 1, to: 1, receivedMs: 1 })
    expect([rows, lost]).toEqual([[], expect.stringMatching(/deleted/)])
    await spool.close()
  })
}
