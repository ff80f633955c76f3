import { expect, test } from 'vitest'
import { namesId } from './names-id.ts'

test.each([
  { text: 'RuleID: A.B', is: true },
  { text: 'Enabled: true\nRuleID: "A.B"  # mine\nTags: [', is: true },
  { text: "PolicyID: 'A.B'\r\n", is: true },
  { text: '{ "RuleID": "A.B" }', is: true },
  { text: 'RuleID: A.B.C', is: false },
  { text: 'BaseDetection: A.B', is: false },
  { text: '# RuleID: A.B', is: false },
])('$text names A.B: $is', ({ text, is }) => expect(namesId(text, 'A.B')).toBe(is))
