import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import { jsonValue } from './json-text.ts'
import { readYaml } from './yaml-file.ts'
import { withMember } from './yaml-member.ts'

const VALUE = { users: { user: [{ name: 'ann', role: 'on-call admin', port: 22, note: 'yes', none: null }] } }
const PATH = ['Tests', 0, 'Log']

test.each([
  [
    'a map in lines, before a comment and another test',
    'Tests:\n  # first\n  - Name: a\n    Log:\n      user: ann # her\n      # end\n  - Name: b\n',
    'Tests:\n  # first\n  - Name: a\n    Log:\n      user: ann # her\n      p_enrichment:\n        users:\n          user:\n            - name: ann\n              role: "on-call admin"\n              port: 22\n              note: "yes"\n              none: null\n      # end\n  - Name: b\n',
  ],
  [
    'a map in braces',
    'Tests: [{ Log: { user: ann } }]\n',
    'Tests: [{ Log: { user: ann, p_enrichment: {"users":{"user":[]}} } }]\n',
  ],
  [
    'a map in braces on several lines, with a comma at the end',
    'Tests:\n  - Log:\n      {\n        "user": "ann", # her\n      }\n',
    'Tests:\n  - Log:\n      {\n        "user": "ann",\n        "p_enrichment": {"users":{"user":[]}}, # her\n      }\n',
  ],
  ['an empty map', 'Tests: [{ Log: {} }]\n', 'Tests: [{ Log: {"p_enrichment": {"users":{"user":[]}}} }]\n'],
  [
    'a member that is there',
    'Tests:\n  - Log:\n      p_enrichment: { old: 1 } # old\n      user: ann\n',
    'Tests:\n  - Log:\n      p_enrichment:\n        users:\n          user: [] # old\n      user: ann\n',
  ],
  [
    'a member of a map in braces that is there',
    'Tests: [{ Log: { "p_enrichment": { old: 1 }, a: 1 } }]\n',
    'Tests: [{ Log: { "p_enrichment": {"users":{"user":[]}}, a: 1 } }]\n',
  ],
  [
    'a text block at the end of the file',
    'Tests:\n  - Log:\n      text: |\n        a\n        b',
    'Tests:\n  - Log:\n      text: |\n        a\n        b\n      p_enrichment:\n        users:\n          user: []',
  ],
])('%s', (_what, before, after) => {
  const value = after.includes('on-call') ? VALUE : { users: { user: [] } }
  expect(withMember(before, PATH, 'p_enrichment', value)).toBe(after)
})

test.each([
  ['an alias', 'x: &x { a: 1 }\nTests: [{ Log: *x }]\n'],
  ['no map', 'Tests: [{ Log: 5 }]\n'],
  ['nothing', 'Tests: []\n'],
  ['no YAML', 'Tests: [{ Log: {}\n'],
])('%s is left', (_what, text) => {
  expect(withMember(text, PATH, 'p_enrichment', VALUE)).toBeUndefined()
})

test('whatever is written reads as intended, and the rest of the text stays', () => {
  const texts = [
    'Tests:\n  - Log:\n      a: 1 # note\nOther: 1\n',
    'Tests:\n  - Log: { "a": 1 }\n',
    'Tests:\n  - Log:\n      {\n        "a": 1\n      }\n',
  ]
  const scalar = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('0644', '1_000', 'null', '2024-04-19', '- a', '#', 'a: b'),
  )
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
    ),
  }))
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.dictionary(fc.string(), value, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
      (text, added) => {
        const member = JSON.parse(JSON.stringify(added)) as JsonObject
        const changed = withMember(text, PATH, 'p_enrichment', member)
        fc.pre(changed !== undefined)
        const { Tests, ...others } = jsonValue(readYaml(changed)) as { Tests: unknown; Other?: number }
        expect(Tests).toEqual([{ Log: { a: 1, p_enrichment: jsonValue(JSON.stringify(member)) } }])
        expect(others).toEqual(text.includes('Other') ? { Other: 1 } : {})
        expect(changed.includes('# note')).toBe(text.includes('# note'))
      },
    ),
  )
})
