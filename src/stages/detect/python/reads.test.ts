import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pythonReads } from './reads.ts'
import { pythonTokens } from './tokens.ts'

const readsOf = (code: string) => {
  const { fields, unified } = pythonReads({ source: { language: 'python', file: 'x.py', code } })
  return [...fields.map((path) => path.join('.')), ...unified.map((name) => `udm ${name}`)]
}

test.each([
  ['event.get("a")', ['a']],
  ["event.get('a', {}).get('b')", ['a']],
  ['event["a"]["b"] == 1', ['a.b']],
  ['event["a"][0]["b"]', ['a']],
  ['event.deep_get("a", "b", default="")', ['a.b']],
  ['event.deep_get(\n    "a",  # why\n    "b",\n)', ['a.b']],
  ['deep_get(event, "a", "b")', ['a.b']],
  ['event.deep_walk("a", "b")', ['a.b']],
  ['event.deep_get("p_enrichment", "tor", "id_orig_h")', ['p_enrichment.tor.id_orig_h']],
  ['event.udm("source_ip")', ['udm source_ip']],
  ['all([event.get("a"), event.get("b")])', ['a', 'b']],
])('%s reads %j', (code, fields) => {
  expect(readsOf(`def rule(event):\n    return ${code}\n`)).toEqual(fields)
})

test.each([
  ['a comment', '# event.get("a")\n'],
  ['a docstring', 'def rule(event):\n    """event.get("a")"""\n'],
  ['a text', 'x = \'event.get("a")\'\n'],
  ['a name that is not literal', 'event.get(name)'],
  ['a name with something added', 'event.get("a" + name)'],
  ['an f-string', 'event.get(f"{x}")'],
  ['an assignment', 'event["a"] = 1'],
  ['another object', 'self.event.get("a"), my_event.get("b")'],
  ['an unfinished text', 'event.get("a'],
])('%s is not a field that is read', (_, code) => {
  expect(readsOf(code)).toEqual([])
})

test('tokens of any text are parts of it, in order', () => {
  const text = fc.string({ unit: fc.constantFrom('"', "'", '#', '\n', '\\', 'a', 'f', ' ', '(', 'event', '.get', '"""') })
  fc.assert(
    fc.property(text, (code) => {
      let at = 0
      for (const token of pythonTokens(code)) {
        at = code.indexOf(token.text, at)
        expect(at).toBeGreaterThanOrEqual(0)
        at += token.text.length
      }
    }),
  )
})
