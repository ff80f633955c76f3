import { isMailed } from '../model/query.ts'
import type { Rule } from '../model/rule.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import type { Content, CorrelationRuleFile } from './content.ts'

/** Content that is loaded but never runs, or has settings without effect, by name and why. */
export function idleNotices({ scheduledQueries, savedQueries, scheduledRules, correlationRules, policies }: Content): string[] {
  const judged = new Set(scheduledRules.filter(({ enabled }) => enabled).flatMap((rule) => rule.scheduledQueries ?? []))
  const known = new Set(scheduledQueries.map(({ name }) => name))
  const saved = new Set(savedQueries.map(({ name }) => name))
  return [
    ...scheduledQueries.flatMap(({ file, name, enabled, email }) => [
      ...(enabled && !judged.has(name) && !isMailed(email)
        ? [`${file}: not run because no enabled rule judges its rows and nobody gets them by mail: scheduled_query '${name}'`]
        : []),
      ...(enabled && email && !isMailed(email) ? [`${file}: EmailConfig of scheduled_query '${name}' has no Recipients`] : []),
    ]),
    ...[...scheduledQueries, ...savedQueries].flatMap(({ file, name, hasLookback }) =>
      hasLookback ? [`${file}: Lookback has no effect: the SQL of query '${name}' determines which time it covers`] : [],
    ),
    ...scheduledRules.flatMap((rule) => savedOnly(rule, known, saved)),
    ...correlationRules.flatMap(({ file, id, rule }) => rule.notices.map((text) => `${file}: correlation_rule '${id}': ${text}`)),
    ...correlationRules.flatMap(scheduleNotices),
    ...untypedNotices(policies),
  ]
}

/** Saved queries whose rows a rule is supposed to judge. */
function savedOnly({ file, id, scheduledQueries = [] }: Rule, known: ReadonlySet<string>, saved: ReadonlySet<string>): string[] {
  return scheduledQueries
    .filter((name) => !known.has(name) && saved.has(name))
    .map((name) => `${file}: rule '${id}' gets no rows from a query that it names: '${name}' is a saved_query, which never runs`)
}

/** A schedule without times leaves the rule to arriving signals. */
function scheduleNotices({ file, id, rule }: CorrelationRuleFile): string[] {
  const problem = rule.schedule && scheduleProblem(rule.schedule)
  return problem ? [`${file}: the Schedule of correlation_rule '${id}' never runs: ${problem}`] : []
}

/** A policy for any resource is judged on the types that policies name: if there are none, on nothing. */
function untypedNotices(policies: Content['policies']): string[] {
  if (policies.some(({ policy }) => policy?.resourceTypes.length)) return []
  const enabled = policies.filter((rule) => rule.enabled)
  return enabled.map(({ file, id }) => `${file}: policy '${id}' does not judge any resources: no policy names ResourceTypes`)
}
