/**
 * Limits that keep one rule from filling memory and state. `dedup`: matches that shared a window because the rule had too many.
 * `unique`: windows that estimate the number of distinct values. `cache`: entries of the rules' cache that had to go.
 */
export const RULE_LIMITS = ['dedup', 'unique', 'cache'] as const
export type RuleLimit = (typeof RULE_LIMITS)[number]

/** How often a rule reached a limit. */
export interface LimitHit {
  readonly ruleId: string
  readonly what: RuleLimit
  readonly n: number
}
