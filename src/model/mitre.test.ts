import { expect, test } from 'vitest'
import { coverageIn, coverageOf, TACTICS, techniqueName } from './mitre.ts'

// As https://attack.mitre.org has them.
test.each([
  ['T1078', 'Valid Accounts'],
  ['T1078.004', 'Valid Accounts: Cloud Accounts'],
  ['T1003.008', 'OS Credential Dumping: /etc/passwd and /etc/shadow'],
  ['T1059.001', 'Command and Scripting Interpreter: PowerShell'],
  ['T1566.002', 'Phishing: Spearphishing Link'],
  // Revoked; rules still name it.
  ['T1086', 'PowerShell'],
  ['T9999', undefined],
  ['T1078.999', undefined],
  ['constructor', undefined],
])('the name of %s', (technique, name) => {
  expect(techniqueName(technique)).toBe(name)
})

test('a rule covers what it lists under MITRE ATT&CK, each technique of a tactic once', () => {
  const reports = { 'MITRE ATT&CK': ['TA0001:T1078', 'ta0001:t1078', 'TA0003:T1078.004', 'none'], CIS: ['TA0001:T1001'] }
  expect(coverageIn(reports)).toEqual([
    { tactic: 'TA0001', technique: 'T1078' },
    { tactic: 'TA0003', technique: 'T1078.004' },
  ])
})

test('every tactic has a name, and entries of another form are not techniques', () => {
  expect(TACTICS.get('TA0001')).toBe('Initial Access')
  expect(coverageOf('T1078')).toBeUndefined()
})
