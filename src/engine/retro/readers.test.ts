import { expect, test } from 'vitest'
import type { Rule } from '../../model/rule.ts'
import { readersOf } from './readers.ts'

const helper = (name: string, code: string) => ({ name, code, file: `${name}.py`, folder: undefined, root: '' })
const HELPERS = [
  helper('tables_helper', 'def matches(event):\n    return event.get("p_enrichment")\n'),
  helper('tor_helper', 'from tables_helper import (\n    matches,\n)\n'),
  helper('text_helper', 'import re\n'),
]
const rule = (code: string, more: Partial<Rule> = {}) =>
  ({ id: code, enabled: true, source: { language: 'python', file: 'r.py', code }, ...more }) as Rule
const reads = (code: string, more?: Partial<Rule>) =>
  readersOf('tor_exits', { helpers: HELPERS }, [rule(code, more)]).length === 1

test.each([
  ['names the table', 'def rule(event):\n    return "tor_exits" in event\n', true],
  ['reads enrichment', 'def rule(event):\n    return event.deep_get("p_enrichment", "x")\n', true],
  ['looks up any table', 'def rule(event):\n    return event.lookup(NAME, event.get("ip"))\n', true],
  ['imports a helper that does', 'import tables_helper\n', true],
  ['imports a helper that imports one', 'from tor_helper import is_tor\n', true],
  ['imports other helpers only', 'from text_helper import words\n', false],
  ['reads the event alone', 'def rule(event):\n    return event.get("ip") == "192.0.2.1"\n', false],
])('a rule that %s', (_, code, expected) => {
  expect(reads(code)).toBe(expected)
})

test('disabled and scheduled rules judge no stored events', () => {
  expect(reads('tor_exits', { enabled: false })).toBe(false)
  expect(reads('tor_exits', { kind: 'scheduled_rule' })).toBe(false)
})
