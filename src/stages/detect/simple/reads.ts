import { fieldsOf, pathOf } from '../../../model/condition/reads.ts'
import type { Rule } from '../../../model/rule.ts'
import type { RuleReads } from '../../../model/rule-reads.ts'
import { parseSimpleDetection } from './parse.ts'

/** The fields in a rule's detection; what it only shows in its alerts cannot blind it. */
export function simpleReads({ source }: Rule): RuleReads {
  const { condition } = parseSimpleDetection(source.code, { file: source.file })
  return { fields: fieldsOf(condition).map(pathOf), unified: [] }
}
