import { describe, expect, test, vi } from 'vitest'
import type { Detector, Language } from '../../src/stages/detect/language.ts'
import { simple } from '../../src/stages/detect/simple/index.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { languageSuite } from './languages.ts'

// A language may start a process for each detector.
vi.setConfig({ testTimeout: 120_000 })

testSuite(languageSuite)

/** A language with a fault in its detectors. */
function faulty(change: (inner: Detector) => Partial<Detector>): Language {
  return {
    ...simple,
    async create(content, options) {
      const inner = await simple.create(content, options)
      const own: Detector = {
        logTypes: inner.logTypes,
        setupErrors: inner.setupErrors,
        ruleIds: inner.ruleIds.bind(inner),
        evaluate: inner.evaluate.bind(inner),
        test: inner.test.bind(inner),
        timings: inner.timings.bind(inner),
        close: inner.close.bind(inner),
      }
      return { ...own, ...change(own) }
    },
  }
}

const { subjectOf, behaviours } = languageSuite
const [, ordered, ofLogTypes, broken, atOnce, unitTest, counted, filtered] = behaviours.map(({ name }) => name)

describe('the suite fails a language that', () => {
  test.each<[string, Language, (string | undefined)[]]>([
    [
      'loses the last finding',
      faulty(({ evaluate }) => ({ evaluate: async (batch) => (await evaluate(batch)).slice(0, -1) })),
      [ordered, ofLogTypes, broken, atOnce, filtered],
    ],
    ['hides rules that cannot be loaded', faulty(() => ({ setupErrors: [] })), [broken]],
    [
      'forgets the title in a unit test',
      faulty((inner) => ({
        test: async (id, log) => ({ ...(await inner.test(id, log)), out: { detection: 'true' } }),
      })),
      [unitTest],
    ],
    ['counts nothing', faulty(() => ({ timings: () => [] })), [counted]],
  ])('%s', async (_, language, failing) => {
    expect(await failedBy(behaviours, () => subjectOf(language))).toEqual(failing)
  })
})
