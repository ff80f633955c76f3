import { expect, test } from 'vitest'
import type { StoredAlert } from '../../model/alert.ts'
import type { Evidence } from '../../model/evidence.ts'
import { BundleWork } from './bundle-work.ts'

const alertOf = (ruleId: string, type: string, logTypes: readonly string[]) =>
  ({ alertId: 'a', ruleId, body: { type, logTypes } }) as unknown as StoredAlert
const kept = [{ generation: 'g' } as Evidence]

test.each([
  ['about Caracal itself', alertOf('S', 'SYSTEM', []), [], 'it is about Caracal itself'],
  ['of a rule that failed', alertOf('R', 'RULE_ERROR', ['T']), [], '`caracal explain R EVENT` shows where'],
  ['of a scheduled rule that failed', alertOf('R', 'SCHEDULED_RULE_ERROR', []), [], '`caracal explain R EVENT` shows where'],
  ['of a correlation rule', alertOf('C', 'RULE', []), [], 'a correlation rule judges matches of other rules over time'],
  ['about a risk, although its events are kept', alertOf('Caracal.Risk', 'RULE', ['T']), kept, 'the risk of an entity adds up'],
  ['without evidence', alertOf('R', 'RULE', ['T']), [], 'no evidence of it is stored'],
  ['whose content is gone', alertOf('R', 'RULE', ['T']), kept, 'generation g, is no longer stored'],
])('an alert %s is refused with the reason', async (_, alert, evidence, message) => {
  const read = { evidence: async () => evidence, filesAt: async () => undefined, contentTexts: async () => new Map() }
  await expect(new BundleWork({ read, roots: () => [] }).make(alert)).rejects.toThrow(message)
})
