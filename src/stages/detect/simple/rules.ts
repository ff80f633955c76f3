import type { Condition } from '../../../model/condition/condition.ts'
import { createRuleIndex, type RuleIndex } from '../../../model/condition/rule-index.ts'
import type { RuleError } from '../../../model/match.ts'
import type { DetectionContent, Rule } from '../../../model/rule.ts'
import { messageOf } from '../../../util/errors.ts'
import { compileFunctions, type SimpleFunctions } from './functions.ts'
import { parseSimpleDetection, type SimpleDetection } from './parse.ts'

/** A rule ready to run. */
export interface LoadedRule {
  readonly rule: Rule
  readonly detection: SimpleDetection
  readonly functions: SimpleFunctions
}

/** The rules of one log type, in the order of findings. */
export interface LogTypeRules {
  readonly rules: readonly LoadedRule[]
  readonly index: RuleIndex
}

/** The rules in this language within some content. */
export interface RuleSet {
  readonly byId: ReadonlyMap<string, LoadedRule>
  readonly byLogType: ReadonlyMap<string, LogTypeRules>
  /** One for each rule that cannot be parsed. */
  readonly errors: readonly RuleError[]
}

export function loadRules(content: DetectionContent, all: boolean): RuleSet {
  const byId = new Map<string, LoadedRule>()
  const errors: RuleError[] = []
  for (const rule of content.rules) {
    if (rule.source.language !== 'simple' || !(all || rule.enabled)) continue
    try {
      const detection = filtered(parseSimpleDetection(rule.source.code, { file: rule.source.file }), rule.inlineFilter)
      byId.set(rule.id, { rule, detection, functions: compileFunctions(detection) })
    } catch (error) {
      errors.push({ kind: 'error', ruleId: rule.id, event: -1, cause: 'import', message: messageOf(error) })
    }
  }
  return { byId, byLogType: groupByLogType([...byId.values()]), errors }
}

/** A rule that filters out an event does not judge it. */
function filtered(detection: SimpleDetection, filter: Condition | undefined): SimpleDetection {
  return filter ? { ...detection, condition: { op: 'and', of: [filter, detection.condition] } } : detection
}

function groupByLogType(loaded: readonly LoadedRule[]): Map<string, LogTypeRules> {
  const lists = new Map<string, LoadedRule[]>()
  for (const one of loaded) {
    for (const logType of new Set(one.rule.logTypes)) {
      const list = lists.get(logType)
      if (list) list.push(one)
      else lists.set(logType, [one])
    }
  }
  const groups = [...lists].map(
    ([logType, rules]) => [logType, { rules, index: createRuleIndex(rules.map((one) => one.detection.condition)) }] as const,
  )
  return new Map(groups)
}
