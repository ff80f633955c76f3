import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { withOverrides } from './overrides.ts'

const FILE = `# What we changed, and why.
Overrides:
  # Too many of these.
  - RuleID: [Tor.SSH.Connection, GreyNoise.SSH.Connection] # both
    Enabled: false
  - { RuleID: Netstat.UnexpectedPort, Severity: Medium }

  - PolicyID: AWS.S3
    OutputIds:
      - soc # the team
`

test('a key is added to an entry, and everything else stays as it was written', () => {
  const text = withOverrides(FILE, 'PolicyID', 'AWS.S3', { Enabled: false })
  expect(text).toBe(`${FILE}    Enabled: false\n`)
  expect(withOverrides(text, 'PolicyID', 'AWS.S3', { Enabled: null })).toBe(FILE)
})

test('an entry in one line keeps its style, and a value that is there already changes nothing', () => {
  expect(withOverrides(FILE, 'RuleID', 'Netstat.UnexpectedPort', { Severity: 'Medium' })).toBe(FILE)
  expect(withOverrides(FILE, 'RuleID', 'Netstat.UnexpectedPort', { Severity: 'High' })).toBe(FILE.replace('Medium', 'High'))
})

test('an id that shares an entry gets its own, with the same keys', () => {
  const text = withOverrides(FILE, 'RuleID', 'Tor.SSH.Connection', { Enabled: true, Threshold: 3 })
  expect(text).toContain('# Too many of these.')
  expect(parse(text).Overrides.slice(0, 2)).toEqual([
    { RuleID: ['GreyNoise.SSH.Connection'], Enabled: false },
    { RuleID: 'Tor.SSH.Connection', Enabled: true, Threshold: 3 },
  ])
})

test('an entry without keys goes, and a file begins with its first entry', () => {
  expect(parse(withOverrides(FILE, 'RuleID', 'Netstat.UnexpectedPort', { Severity: null })).Overrides).toHaveLength(2)
  expect(withOverrides('', 'RuleID', 'A', { Enabled: false })).toBe('Overrides:\n  - RuleID: A\n    Enabled: false\n')
  expect(withOverrides('# empty\nOverrides: []\n', 'RuleID', 'A', { Enabled: false })).toBe(
    '# empty\nOverrides:\n  - RuleID: A\n    Enabled: false\n',
  )
})

test('a file that cannot be edited is refused', () => {
  for (const text of ['Overrides: 3\n', '- a\n', 'Overrides: [\n'])
    expect(() => withOverrides(text, 'RuleID', 'A', { Enabled: false })).toThrow(/overrides.yml/)
})

test('any changes amount to what a map of keys would say', () => {
  const id = fc.constantFrom('A', 'B', 'C')
  const values = fc.record(
    {
      Enabled: fc.option(fc.boolean()),
      Severity: fc.option(fc.constantFrom('Low', 'High')),
      OutputIds: fc.option(fc.array(fc.constantFrom('x', 'y'))),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(id, values), { maxLength: 8 }), (changes) => {
      let text = '# kept\nOverrides:\n  - RuleID: [A, B]\n    Enabled: true\n'
      const model: Record<string, Record<string, unknown>> = { A: { Enabled: true }, B: { Enabled: true }, C: {} }
      for (const [rule, set] of changes) {
        text = withOverrides(text, 'RuleID', rule, set)
        for (const [key, value] of Object.entries(set)) {
          if (value === null) delete model[rule]![key]
          else model[rule]![key] = value
        }
      }
      const found: Record<string, Record<string, unknown>> = { A: {}, B: {}, C: {} }
      for (const { RuleID, ...keys } of (parse(text).Overrides ?? []) as { RuleID: string | string[] }[])
        for (const one of [RuleID].flat()) found[one] = keys
      expect(found).toEqual(model)
      expect(text).toContain('# kept')
    }),
  )
})
