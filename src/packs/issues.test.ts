import { expect, test } from 'vitest'
import { suggestion } from './issues.ts'

test.each([
  ['Zeek.SHS', ['Zeek.DNS', 'Zeek.SSH'], "did you mean 'Zeek.SSH'?"],
  ['Custom.Netsat', ['Custom.Nets', 'Custom.Netstat'], "did you mean 'Custom.Netstat'?"],
  ['LogTpyes', ['LogTypes', 'Tags'], "did you mean 'LogTypes'?"],
  ['zeek.ssh', ['Zeek.SSH', 'Zeek.Ssl'], "did you mean 'Zeek.SSH'?"],
  ['Abc', ['Abxyz', 'Bcdef'], undefined],
  ['Abc', [], undefined],
])('for %s, of %j', (name, known, question) => {
  expect(suggestion(name, known)).toBe(question === undefined ? '' : `: ${question}`)
})
