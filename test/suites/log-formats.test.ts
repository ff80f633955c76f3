import { describe, expect, test } from 'vitest'
import type { Format, LineReader } from '../../src/stages/parse/format.ts'
import { json } from '../../src/stages/parse/json.ts'
import { zeekTsv } from '../../src/stages/parse/zeek-tsv.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { logFormatSuite } from './log-formats.ts'

testSuite(logFormatSuite)

/** A format whose readers are changed. */
function changed(format: Format, change: (reader: LineReader) => Partial<LineReader>): Format {
  return {
    ...format,
    open(context, options) {
      const reader = format.open(context, options)
      return { read: (line) => reader.read(line), context: () => reader.context(), ...change(reader) }
    },
  }
}

describe('the suite fails a format that', () => {
  test.each<[string, Format, string]>([
    [
      'forgets its header',
      changed(zeekTsv, () => ({ context: () => '' })),
      'continues after any line with what the previous reader remembered',
    ],
    [
      'claims every line',
      changed(json, (reader) => ({ read: (line) => reader.read(line) ?? { kind: 'record', raw: { line }, path: undefined } })),
      'leaves lines of other formats alone',
    ],
    [
      'throws',
      changed(json, () => ({ read: (line) => ({ kind: 'record', raw: JSON.parse(line), path: undefined }) })),
      'never throws, and refuses with a known reason and a sentence',
    ],
    [
      'loses digits',
      changed(json, (reader) => ({
        read: (line) =>
          reader.read(line) && line.startsWith('{') ? { kind: 'record', raw: JSON.parse(line), path: undefined } : undefined,
      })),
      'reads its example as the records that it names',
    ],
    [
      'remembers all it has read',
      changed(json, () => {
        const all: string[] = []
        return { read: (line) => void all.push(line), context: () => all.join('\n') }
      }),
      'remembers a bounded text, however much it reads',
    ],
  ])('%s', async (_, format, behaviour) => {
    expect(await failedBy(logFormatSuite.behaviours, () => format)).toContain(behaviour)
  })
})
