import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { csv } from '../../src/stages/parse/text/csv.ts'
import { stateless, type TextParserKind } from '../../src/stages/parse/text/text-parser.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { textParserSuite } from './text-parsers.ts'

testSuite(textParserSuite)

describe('the suite fails a parser that', () => {
  const kind = csv as TextParserKind
  test.each<[string, Partial<TextParserKind>, string]>([
    [
      'reads its example differently',
      { create: () => stateless((text) => ({ text })) },
      'reads its example as the records that it names',
    ],
    [
      'forgets what it has read',
      {
        create: () => ({
          open: () => {
            let count = 0
            return { read: () => ({ count: ++count }), context: () => '' }
          },
        }),
      },
      'continues after any text with what the previous reader remembered',
    ],
    [
      'throws',
      { create: () => stateless((text) => JSON.parse(text)) },
      'never throws, and refuses with a known reason and a sentence',
    ],
    ['accepts any key', { settings: z.looseObject({}) }, 'refuses keys that it does not know'],
  ])('%s', async (_, change, behaviour) => {
    expect(await failedBy(textParserSuite.behaviours, () => ({ ...kind, ...change }))).toContain(behaviour)
  })
})
