import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FinishedRows } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { Detector } from '../stages/detect/language.ts'
import { encodeBatch } from './encode-batch.ts'
import { eventRows } from './finished-rows.ts'
import { judgeBatch } from './judge.ts'
import { judgeLeft } from './judge-left.ts'
import { evilDetector, lineParser, lineSchema, NO_TABLES } from './loop.fixture.ts'
import { receiveBatch, sendBatch } from './made-batch.ts'
import { parseBatch } from './parse.ts'
import type { EncodedBatch } from './steps.ts'

const retrying = { onTrouble: () => {}, isStopping: () => false, pauseMs: 0 }
const source = { id: 's', label: 's', schemas: [lineSchema], isNamed: true, logType: undefined }

/** The evil lines, as found by another rule. */
function detectorOf(ruleId: string): Detector {
  const { evaluate, ...detector } = evilDetector()
  const renamed: Detector['evaluate'] = async (batch) => (await evaluate(batch)).map((finding) => ({ ...finding, ruleId }))
  return { ...detector, ruleIds: () => [ruleId], evaluate: renamed }
}

async function make(chunk: Chunk, detectors: readonly Detector[]): Promise<EncodedBatch<readonly FinishedRows[]>> {
  const parsed = parseBatch([chunk], source, lineParser, 7)
  return encodeBatch(await judgeBatch(parsed, detectors, retrying, NO_TABLES), 's', (group) => eventRows(group, {}))
}

/** As another thread receives it. */
async function sent(chunk: Chunk, detectors: readonly Detector[], left: ReadonlySet<string>) {
  const there = { ...chunk, bytes: new Uint8Array(chunk.bytes) }
  const batch = await make(there, detectors)
  const nameOf = () => ({ logType: lineSchema.name, header: undefined })
  const { made, list } = sendBatch(batch, { chunks: [there], left, nameOf })
  return receiveBatch(structuredClone(made, { transfer: [...list] }), [chunk], () => lineSchema)
}

const seen = ({ judged, encoded, deadLetters, stored, groups, received }: EncodedBatch<readonly FinishedRows[]>) => ({
  judged: judged.map(({ finding, event, text }) => {
    const hasRow = groups.some(({ events }) => events.includes(event!))
    return [finding.ruleId, event!.p_row_id, text(), hasRow] as const
  }),
  rows: encoded.flat().map(({ spec, rows, count }) => [spec.table, Buffer.from(rows).toString('hex'), count]),
  letters: deadLetters.map(({ rowId, reason, raw: bytes }) => [rowId, reason, Buffer.from(bytes).toString()]),
  stored: [...stored],
  received,
})

const lines = fc.array(fc.constantFrom('fine', 'evil a', 'evil b', 'unwritable', 'unwritable evil c', 'bad', ''), {
  maxLength: 30,
})

test('a batch from another thread is the same as one made here, whether all rules judged it there or some of them here', async () => {
  const [first, second, third] = ['First', 'Second', 'Third'].map(detectorOf)
  const ranks = ['First', 'Second', 'Third']
  await fc.assert(
    fc.asyncProperty(lines, async (texts) => {
      const bytes = Buffer.from(texts.join('\n'))
      const chunk = { bytes, place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] }
      const whole = seen(await make(chunk, [first!, second!, third!]))
      expect(seen(await sent(chunk, [first!, second!, third!], new Set()))).toEqual(whole)
      const made = await sent(chunk, [first!, third!], new Set([lineSchema.name]))
      const remembering = { detectors: [second!], rankOf: (ruleId: string) => ranks.indexOf(ruleId) }
      const complete = await judgeLeft(made, remembering, retrying, NO_TABLES)
      // There, events without a row come last, which nothing depends on.
      const inOrder = ({ judged, ...more }: typeof whole) => ({
        ...more,
        judged: [...judged.filter(([, , , hasRow]) => hasRow), ...judged.filter(([, , , hasRow]) => !hasRow)],
      })
      expect(inOrder(seen(complete))).toEqual(inOrder(whole))
    }),
  )
})

test('the bytes of many dead letters are transferred as one buffer', async () => {
  const bytes = Buffer.from('bad\n'.repeat(5000))
  const chunk = { bytes, place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] }
  const batch = await make(chunk, [])
  const { made, list } = sendBatch(batch, {
    chunks: [chunk],
    left: new Set(),
    nameOf: () => ({ logType: 'x', header: undefined }),
  })
  expect(made.deadLetters).toHaveLength(5000)
  expect(list.length).toBeLessThan(10)
})
