import type { Rule } from '../model/rule.ts'
import { correlationRuleDocument } from '../stages/detect/correlation/document.ts'
import type { Content, Override, Problem } from './content.ts'
import { suggestion } from './issues.ts'
import { policyItem, ruleItem, scheduledRuleItem } from './item-schemas.ts'

/** Keys that may be overridden, by `AnalysisType`: a key that the item's own file cannot have would have no meaning. */
const SHAPES: Readonly<Record<string, object>> = {
  rule: ruleItem.shape,
  scheduled_rule: scheduledRuleItem.shape,
  policy: policyItem.shape,
  correlation_rule: correlationRuleDocument.shape,
}

/**
 * The content as it runs: with the overrides of all roots, those of later roots taking precedence key by key. An override that fits no
 * rule, policy or correlation rule is a problem. `overrides` of the result are those in force. Unit tests run without this: they are about
 * what a rule's own file says.
 */
export function withOverrides(content: Content): Content {
  const { overrides, problems, notices } = inForce(content)
  const says = new Map<string, Override['says']>()
  for (const override of overrides) says.set(override.id, { ...says.get(override.id), ...override.says })
  const changed = <T extends { readonly id: string }>(rule: T): T => ({ ...rule, ...says.get(rule.id) })
  return {
    ...content,
    rules: content.rules.map(changed<Rule>),
    scheduledRules: content.scheduledRules.map(changed<Rule>),
    policies: content.policies.map(changed<Rule>),
    correlationRules: content.correlationRules.map((item) => ({ ...item, rule: changed(item.rule) })),
    overrides,
    problems: [...content.problems, ...problems],
    notices: [...content.notices, ...notices],
  }
}

function inForce(content: Content): Pick<Content, 'overrides' | 'problems' | 'notices'> {
  const kinds = kindsOf(content)
  const overrides = new Map<string, Override>()
  const problems = new Map<string, Problem>()
  const notices: string[] = []
  for (const override of content.overrides) {
    const { id, key, file, line } = override
    const problem = misfit(override, kinds)
    const hider = overrides.get(`${id}\0${key}`)
    if (problem) problems.set(`${problem.line} ${file} ${problem.message}`, problem)
    else if (hider)
      notices.push(`${key} of '${id}' in ${placeOf(file, line)} is overridden by ${placeOf(hider.file, hider.line)}`)
    else overrides.set(`${id}\0${key}`, override)
  }
  return { overrides: [...overrides.values()], problems: [...problems.values()], notices }
}

function misfit({ id, idKey, key, file, line, idLine }: Override, kinds: ReadonlyMap<string, string>): Problem | undefined {
  const kind = kinds.get(id)
  const names = (one: string | undefined) => (one === 'policy' ? 'PolicyID' : 'RuleID')
  if (kind === undefined) {
    const what = idKey === 'PolicyID' ? 'policy' : 'rule'
    const known = [...kinds].flatMap(([other, one]) => (names(one) === idKey ? [other] : []))
    const advice = suggestion(id, known) || ': correct the id or remove it'
    return { file, line: idLine, message: `${idKey}: there is no ${what} '${id}'${advice}` }
  }
  if (names(kind) !== idKey)
    return { file, line: idLine, message: `${idKey}: '${id}' is a ${nameOf(kind)}: write ${names(kind)}` }
  if (Object.hasOwn(SHAPES[kind]!, key)) return undefined
  return { file, line, message: `${key}: does not apply to '${id}', which is a ${nameOf(kind)}: remove it` }
}

/** Id → `AnalysisType`. */
function kindsOf({ rules, scheduledRules, policies, correlationRules }: Content): Map<string, string> {
  const judging = [...rules, ...scheduledRules, ...policies]
  return new Map([
    ...judging.map(({ id, kind = 'rule' }) => [id, kind] as const),
    ...correlationRules.map(({ id }) => [id, 'correlation_rule'] as const),
  ])
}

function nameOf(kind: string): string {
  return kind.replace('_', ' ')
}

function placeOf(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`
}
