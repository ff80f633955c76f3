import { describe, expect, test } from 'vitest'
import type { Format } from '../../src/stages/enrich/formats/format.ts'
import { jsonl } from '../../src/stages/enrich/formats/jsonl.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { tableFormatSuite } from './table-formats.ts'

testSuite(tableFormatSuite)

describe('the suite fails a format that', () => {
  test.each<[string, Partial<Format>, string[]]>([
    [
      'loses the last row',
      {
        async *read(text, context) {
          for await (const batch of jsonl.read(text, context)) yield batch.slice(0, -1)
        },
      },
      [
        'reads each key once, in order, under the primary key',
        'reads a long content whole, in batches of no more than some hundred rows',
      ],
    ],
    [
      'gives everything at once',
      {
        async *read(text, context) {
          const all = []
          for await (const batch of jsonl.read(text, context)) all.push(...batch)
          yield all
        },
      },
      ['reads a long content whole, in batches of no more than some hundred rows'],
    ],
    [
      'throws what its parser throws',
      {
        *read(text) {
          yield text
            .split('\n')
            .flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line)]))
            .slice(0, 1000)
        },
      },
      [
        'reads a long content whole, in batches of no more than some hundred rows',
        'says of a damaged content what is wrong, in sentences, and never throws anything else',
      ],
    ],
  ])('%s', async (_, change, failed) => {
    const subject = { ...tableFormatSuite.subjectOf(jsonl), format: { ...jsonl, ...change } as Format }
    expect(await failedBy(tableFormatSuite.behaviours, () => subject)).toEqual(failed)
  })
})
