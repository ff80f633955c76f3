import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Attempt, BadRows, insertRows } from './insert.ts'

class Crash extends Error {}

/** An engine as ClickHouse behaves: all or nothing, once per token, complains of the first bad row (or of none in particular). */
class FakeEngine {
  readonly stored: string[] = []
  readonly #tokens = new Set<string>()
  readonly #hints: boolean
  crashAfter = Number.POSITIVE_INFINITY

  constructor(hints: boolean) {
    this.#hints = hints
  }

  readonly attempt: Attempt = async (rows, token) => {
    if (this.crashAfter-- <= 0) throw new Crash('gone')
    const lines = Buffer.from(rows).toString().split('\n').filter(Boolean)
    const bad = lines.findIndex((line) => line.includes('bad'))
    if (bad >= 0) throw new BadRows('bad row', this.#hints ? bad : undefined)
    if (this.#tokens.has(token)) return
    this.#tokens.add(token)
    this.stored.push(...lines)
  }
}

const bytes = (rows: readonly string[]) => Buffer.from(rows.map((row) => `${row}\n`).join(''))

test('good rows are stored once, bad ones are told, however often the process dies on the way', async () => {
  const row = fc.oneof({ weight: 4, arbitrary: fc.constant('good') }, fc.constant('bad'), fc.constant('broken'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 40 }),
      fc.boolean(),
      fc.array(fc.nat(12), { maxLength: 4 }),
      async (kinds, hints, crashes) => {
        const rows = kinds.map((kind, i) => (kind === 'broken' ? '' : `["${kind} ${i}"]`))
        const engine = new FakeEngine(hints)
        for (const crashAfter of crashes) {
          engine.crashAfter = crashAfter
          await insertRows(engine.attempt, bytes(rows), 't').catch((error) => expect(error).toBeInstanceOf(Crash))
        }
        engine.crashAfter = Number.POSITIVE_INFINITY
        const rejected = await insertRows(engine.attempt, bytes(rows), 't')
        expect(engine.stored).toEqual(rows.filter((_, i) => kinds[i] === 'good'))
        expect(rejected.map(({ index }) => index)).toEqual(kinds.flatMap((kind, i) => (kind === 'good' ? [] : [i])))
      },
    ),
    { seed: 7, numRuns: 500 },
  )
})

test('a blank line, which would end the data and begin SQL, never reaches the engine', async () => {
  const sent: string[] = []
  const rows = Buffer.from('["a"]\n\nDROP TABLE logs.t\n["b"]')
  const rejected = await insertRows(async (part) => void sent.push(Buffer.from(part).toString()), rows, 't')
  expect(sent).toEqual(['["a"]\n', '["b"]'])
  expect(rejected.map(({ index }) => index)).toEqual([1, 2])
})

test('a large insert is cut in the same places every time', async () => {
  const run = async () => {
    const tokens: string[] = []
    await insertRows(async (_, token) => void tokens.push(token), bytes(new Array(120_001).fill('["a"]')), 't')
    return tokens
  }
  expect(await run()).toEqual(['t#0-50000', 't#50000-100000', 't#100000-120001'])
  expect(await run()).toEqual(await run())
})

test('an error that is not the rows’ fault ends the insert at once', async () => {
  const attempt = async () => {
    throw new Crash('disk full')
  }
  await expect(insertRows(attempt, bytes(['["a"]', '["b"]']), 't')).rejects.toThrow('disk full')
})
