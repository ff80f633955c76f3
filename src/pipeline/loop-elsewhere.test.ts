import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { FinishedRows } from '../model/batch.ts'
import { openState } from '../state/db.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { sourceCounts } from '../state/sources.ts'
import { eventRows } from './finished-rows.ts'
import type { Generation, Making } from './generation.ts'
import { ListSource, lineGeneration, loopDeps } from './loop.fixture.ts'
import { Loop } from './loop.ts'
import { HERE, takePath } from './path.ts'
import type { EncodedBatch } from './steps.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-elsewhere-'))
let folders = 0
const newState = () => openState(mkdtempSync(join(folder, `${++folders}-`)))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The first half of the path, done while other batches continue: each takes as many turns of the event loop as the next number says. */
function elsewhere(turns: readonly number[], log: string[]): Making {
  let at = 0
  const wait = async () => {
    for (let left = turns[at++ % turns.length]!; left > 0; left--) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    async make(batch, origin) {
      const name = `${batch.sourceId} ${Buffer.from(batch.chunks[0]!.bytes).toString().split(' ')[0]}`
      log.push(`begins ${name}`)
      await wait()
      let made: EncodedBatch<readonly FinishedRows[]> | undefined
      const never = (): never => {
        throw new Error('this half is done elsewhere')
      }
      const onParsed = (parsed: Parameters<typeof batch.onParsed>[0]) => {
        log.push(`parsed ${name}`)
        batch.onParsed(parsed)
      }
      await takePath({ ...batch, onParsed }, generation, {
        ...HERE,
        retrying: { onTrouble: () => {}, isStopping: () => false },
        observe: () => {},
        encodeEvents: (group) => eventRows(group, origin),
        turn: async () => {},
        times: never,
        encode: never,
        commit: async (encoded) => {
          made = encoded
        },
      })
      await wait()
      return made!
    },
  }
}
const generation = lineGeneration()

/** The commits of each source, in order. */
async function run(texts: readonly (readonly string[])[], { making, remembering }: Partial<Generation>, isIndependent: boolean) {
  const db = await newState()
  const sources = texts.map((own, i) => Object.assign(new ListSource(`s${i}`, own), { isIndependent }))
  const committed: string[] = []
  const all = texts.reduce((n, own) => n + own.length, 0)
  const loop: Loop = new Loop(
    loopDeps(sources, {
      state: pipelineState(db),
      generation: { ...(making && { making }), ...(remembering && { remembering }) },
      depth: () => 5,
      onCommitted: ({ batch, cursor, findings, rows }) => {
        const counts = rows.map(({ spec, count }) => `${spec.table} ${count}`)
        committed.push(JSON.stringify([batch.sourceId, batch.extent['at'], cursor.value, [...findings.matches], counts]))
        if (committed.length === all) loop.stop()
      },
    }),
  )
  try {
    if (all > 0) await loop.run()
    // Sources whose next batch waits for the last one to be parsed skip a turn.
    committed.sort((a, b) => a.slice(0, 5).localeCompare(b.slice(0, 5)))
    return { committed, counts: [...(await sourceCounts(db))], inFlight: [...loop.inFlight.values()] }
  } finally {
    await db.destroy()
  }
}

const text = fc
  .array(fc.constantFrom('fine', 'evil a', 'bad', 'unwritable'), { minLength: 1, maxLength: 4 })
  .map((lines) => `${lines.join('\n')}\n`)
const sources = fc.array(fc.array(text, { maxLength: 6 }), { minLength: 1, maxLength: 3 }).map((all) =>
  // Each batch begins with a line that names it.
  all.map((own) => own.map((lines, at) => `${at} is first\n${lines}`)),
)
const turns = fc.array(fc.nat({ max: 12 }), { minLength: 5, maxLength: 20 })

test('batches made elsewhere are committed like those made here, in the order of their source, however long each takes', async () => {
  await fc.assert(
    fc.asyncProperty(sources, turns, fc.boolean(), async (texts, delays, isIndependent) => {
      const log: string[] = []
      const there = await run(texts, { making: elsewhere(delays, log) }, isIndependent)
      expect(there).toEqual(await run(texts, {}, isIndependent))
      if (isIndependent) return
      // A batch whose parsing depends on the previous one waits for it.
      for (const [at, line] of log.entries()) {
        const [, source, number] = /^begins (\S+) (\d+)/.exec(line) ?? []
        if (number !== undefined && number !== '0') expect(log.slice(0, at)).toContain(`parsed ${source} ${Number(number) - 1}`)
      }
    }),
    { numRuns: 12, endOnFailure: true },
  )
})

test('a batch that cannot be made ends the loop with the reason, and nothing after it is committed', async () => {
  const making = elsewhere([0], [])
  let made = 0
  const failing: Making = {
    make: (...args) => (made++ === 2 ? Promise.reject(new Error('three threads have ended')) : making.make(...args)),
  }
  const db = await newState()
  const committed: unknown[] = []
  const loop = new Loop(
    loopDeps([new ListSource('s', ['a\n', 'b\n', 'c\n', 'd\n', 'e\n'])], {
      state: pipelineState(db),
      generation: { making: failing },
      onCommitted: ({ batch }) => committed.push(batch.extent['at']),
    }),
  )
  await expect(loop.run()).rejects.toThrow('three threads have ended')
  expect(committed).toEqual([0, 1])
  await db.destroy()
})
