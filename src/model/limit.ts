/**
 * Limits that keep one rule from filling memory and state. `dedup`: matches that shared a window because the rule had too many.
 * `unique`: windows that only estimate their distinct values. `cache`: entries evicted from the rule cache.
 */
export const RULE_LIMITS = ['dedup', 'unique', 'cache'] as const
export type RuleLimit = (typeof RULE_LIMITS)[number]

/** Windows of one rule that are open or ended within the last hour (`CROWD_SPAN_MS`). Further dedup strings share one window. */
export const MAX_WINDOWS_PER_RULE = 10_000

/** How often a rule reached a limit. */
export interface LimitHit {
  readonly ruleId: string
  readonly what: RuleLimit
  readonly n: number
}
