import { strict as assert } from 'node:assert'
import type { JsonObject } from '../../src/model/json.ts'
import type { Finding } from '../../src/model/match.ts'
import type { Rule } from '../../src/model/rule.ts'
import { languages } from '../../src/stages/detect/index.ts'
import type { Detector, Language } from '../../src/stages/detect/language.ts'
import { toNdjson } from '../../src/stages/detect/ndjson.ts'
import type { Suite } from './behaviours.ts'

/** The rules that the suite needs, in one language. */
interface Written {
  /** Matches events whose `n` is this number; the title is the text of the event's `name`. */
  readonly matching: (n: number) => string
  /** Cannot be loaded. */
  readonly broken: string
}

const written: Readonly<Record<string, Written>> = {
  python: {
    matching: (n) => `def rule(event):\n    return event.get("n") == ${n}\n\ndef title(event):\n    return event.get("name")\n`,
    broken: 'def rule(event:\n',
  },
  simple: {
    matching: (n) =>
      JSON.stringify({
        Detection: [{ KeyPath: 'n', Condition: 'Equals', Value: n }],
        AlertTitle: '{name}',
        GroupBy: [{ KeyPath: 'name' }],
      }),
    broken: '{"Detection": [{"KeyPath": "n", "Condition": "Resembles", "Value": 1}]}',
  },
}

/** A language and rules written in it. */
export interface LanguageSubject {
  readonly language: Language
  readonly written: Written
}

const LOG_TYPE = 'Suite.Log'

function ruleOf({ language }: LanguageSubject, id: string, code: string, extra: Partial<Rule> = {}): Rule {
  const texts = { displayName: id, description: '', reference: '', runbook: '' }
  const lists = { tags: [], reports: {}, summaryAttributes: [], outputIds: [], tests: [] }
  return {
    id,
    enabled: true,
    logTypes: [LOG_TYPE],
    severity: 'MEDIUM',
    dedupPeriodMinutes: 60,
    threshold: 1,
    createAlert: true,
    file: `/suite/${id}.yml`,
    source: { language: language.type, file: `/suite/${id}${language.extension ?? '.yml'}`, code },
    ...texts,
    ...lists,
    ...extra,
  }
}

function batchOf(events: readonly JsonObject[], logType = LOG_TYPE) {
  return { logType, events, count: events.length, ndjson: toNdjson(events) }
}

const EVENTS = [
  { n: 1, name: 'a' },
  { n: 2, name: 'b' },
  { n: 1, name: 'c' },
]

/** A detector with these rules, which is closed after its use. */
async function using<T>(
  { language }: LanguageSubject,
  rules: readonly Rule[],
  use: (detector: Detector) => Promise<T>,
  all = false,
): Promise<T> {
  const detector = await language.create({ rules, helpers: [] }, { timeoutMs: 10_000, all })
  try {
    return await use(detector)
  } finally {
    await detector.close()
  }
}

/** `event rule title` of each match. */
function seen(findings: readonly Finding[]): string[] {
  return findings.map(
    (finding) => `${finding.event} ${finding.ruleId} ${finding.kind === 'match' ? finding.title : finding.message}`,
  )
}

export const languageSuite: Suite<Language, LanguageSubject> = {
  kind: 'language',
  registry: languages,
  subjectOf(language) {
    const own = written[language.type]
    if (!own) throw new Error(`add rules of language '${language.type}' to the table \`written\` of this suite`)
    return { language, written: own }
  },
  behaviours: [
    {
      name: 'says how its rules are found: by the extension of a file, or by a key of the YAML',
      check: ({ language: { extension, yaml } }) => {
        assert.equal([extension, yaml].filter((one) => one !== undefined).length, 1)
        if (extension !== undefined) assert.match(extension, /^\.[a-z]+$/)
      },
    },
    {
      name: 'gives all findings, ordered by event and then by rule, each with the texts of its event',
      check: async (subject) => {
        const { matching } = subject.written
        const rules = [ruleOf(subject, 'Z', matching(1)), ruleOf(subject, 'Two', matching(2)), ruleOf(subject, 'A', matching(1))]
        await using(subject, rules, async (detector) => {
          const found = await detector.evaluate(batchOf(EVENTS))
          assert.deepEqual(seen(found), ['0 Z a', '0 A a', '1 Two b', '2 Z c', '2 A c'])
        })
      },
    },
    {
      name: 'judges only the log types of its rules, with enabled rules only',
      check: async (subject) => {
        const { matching } = subject.written
        const rules = [ruleOf(subject, 'On', matching(1)), ruleOf(subject, 'Off', matching(1), { enabled: false })]
        await using(subject, rules, async (detector) => {
          assert.deepEqual([[...detector.logTypes], detector.ruleIds(LOG_TYPE)], [[LOG_TYPE], ['On']])
          assert.deepEqual(await detector.evaluate(batchOf(EVENTS, 'Other.Log')), [])
          assert.deepEqual(seen(await detector.evaluate(batchOf(EVENTS))), ['0 On a', '2 On c'])
        })
      },
    },
    {
      name: 'reports a rule that cannot be loaded once, with its file, and judges with the others',
      check: async (subject) => {
        const rules = [ruleOf(subject, 'Broken', subject.written.broken), ruleOf(subject, 'Good', subject.written.matching(2))]
        await using(subject, rules, async (detector) => {
          assert.deepEqual(
            detector.setupErrors.map(({ ruleId, event, cause, message }) => [
              ruleId,
              event,
              cause,
              message.includes('/suite/Broken'),
            ]),
            [['Broken', -1, 'import', true]],
          )
          assert.deepEqual(seen(await detector.evaluate(batchOf(EVENTS))), ['1 Good b'])
        })
      },
    },
    {
      name: 'judges batches asked for at once in their order, and gives the same again',
      check: async (subject) => {
        await using(subject, [ruleOf(subject, 'One', subject.written.matching(1))], async (detector) => {
          const both = await Promise.all([detector.evaluate(batchOf(EVENTS)), detector.evaluate(batchOf(EVENTS.slice(2)))])
          assert.deepEqual(both.map(seen), [['0 One a', '2 One c'], ['0 One c']])
        })
      },
    },
    {
      name: 'runs a unit test with every function, also of a disabled rule, and says what each returned',
      check: async (subject) => {
        const rules = [ruleOf(subject, 'One', subject.written.matching(1), { enabled: false })]
        const test = (log: JsonObject) => ({ name: 't', expectedResult: true, log: JSON.stringify(log), mocks: [] })
        const runs = await using(
          subject,
          rules,
          (detector) => Promise.all([...EVENTS.slice(0, 2)].map((event) => detector.test('One', test(event)))),
          true,
        )
        assert.deepEqual(
          runs.map(({ out, errors }) => [out['detection'], out['title'], errors]),
          [
            ['true', '"a"', {}],
            ['false', '"b"', {}],
          ],
        )
      },
    },
    {
      name: 'counts the events that each rule was shown, once',
      check: async (subject) => {
        await using(subject, [ruleOf(subject, 'One', subject.written.matching(1))], async (detector) => {
          await detector.evaluate(batchOf(EVENTS))
          const counted = detector.timings()
          assert.deepEqual(
            counted.map(({ ruleId, seconds }) => [ruleId, seconds >= 0]),
            [['One', true]],
          )
          assert.ok(counted[0]!.events >= 2 && counted[0]!.events <= EVENTS.length)
          assert.deepEqual(detector.timings(), [])
        })
      },
    },
    {
      name: 'keeps from a rule what its inline filter keeps from it',
      check: async (subject) => {
        const inlineFilter = {
          op: 'compare',
          test: 'equals',
          field: { kind: 'path', segments: ['name'] },
          value: 'c',
        } as const
        const rules = [ruleOf(subject, 'One', subject.written.matching(1), { inlineFilter })]
        await using(subject, rules, async (detector) => {
          assert.deepEqual(seen(await detector.evaluate(batchOf(EVENTS))), ['2 One c'])
        })
      },
    },
  ],
}
