import { ConfigError } from '../../../util/errors.ts'
import type { TestDocument } from './document.ts'
import type { CorrelationTest, Member, TestField, TestOutput } from './rule.ts'

/** Minute 0 of a test's times; any fixed time will do. */
const ZERO_MS = Date.UTC(2024, 0, 1)

/** `2024-06-01T10:00:01Z`; a space instead of the T, a fraction, and no zone (UTC) are accepted too. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)?$/

/** The unit tests of a rule. Throws `ConfigError`. */
export function readTests(tests: readonly TestDocument[], members: readonly Member[], file: string): CorrelationTest[] {
  const names = new Set<string>()
  return tests.map((test, at) => {
    const where = (path: string) => ({ file, path: `Tests.${at}.${path}` })
    if (names.has(test.Name)) throw new ConfigError(`two tests are named '${test.Name}': rename one`, where('Name'))
    names.add(test.Name)
    const outputs = test.RuleOutputs.map((output, i): TestOutput => {
      if (!members.some(({ id }) => id === output.ID)) {
        const known = members.map(({ id }) => `'${id}'`).join(', ')
        throw new ConfigError(`there is no member with the ID '${output.ID}'. Known: ${known}`, where(`RuleOutputs.${i}.ID`))
      }
      const fields =
        output.Matches &&
        Object.entries(output.Matches).flatMap(([path, values]) =>
          Object.entries(values).map(
            ([value, times]): TestField => ({
              path,
              value,
              timesMs: times.map((time) => readTime(time, where(`RuleOutputs.${i}.Matches.${path}.${value}`))),
            }),
          ),
        )
      return { memberId: output.ID, fields }
    })
    return { name: test.Name, expectedResult: test.ExpectedResult, outputs }
  })
}

function readTime(time: number | string, where: { readonly file: string; readonly path: string }): number {
  if (typeof time === 'number') return ZERO_MS + Math.round(time * 60_000)
  const [, day, clock, zone] = TIMESTAMP.exec(time) ?? []
  const ms = Date.parse(`${day}T${clock}${zone ?? 'Z'}`)
  if (Number.isNaN(ms)) {
    throw new ConfigError(`'${time}' is not a time: write minutes (30) or a timestamp (2024-06-01T10:30:00Z)`, where)
  }
  return ms
}
