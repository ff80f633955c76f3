import type { Condition, Field } from '../model/condition/condition.ts'
import type { Rule } from '../model/rule.ts'

const ID: Field = { kind: 'path', segments: ['ResourceId'], exactCase: true }
const ARN: Field = { kind: 'path', segments: ['Arn'], exactCase: true }

/**
 * The policy as production runs it: it does not see resources whose id matches one of its `Suppressions`. A resource without `ResourceId`
 * is identified by its `Arn`; one without either is seen. Unit tests run without this: they are about the code.
 */
export function withSuppressions(rule: Rule): Rule {
  const patterns = rule.policy?.suppressions ?? []
  if (patterns.length === 0) return rule
  const fits = (field: Field): Condition => ({ op: 'pattern', field, patterns })
  const suppressed: Condition = {
    op: 'or',
    of: [fits(ID), { op: 'and', of: [{ op: 'nullOrEmpty', field: ID }, fits(ARN)] }],
  }
  const seen: Condition = { op: 'not', of: suppressed }
  return { ...rule, inlineFilter: rule.inlineFilter ? { op: 'and', of: [rule.inlineFilter, seen] } : seen }
}
