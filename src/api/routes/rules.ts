import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import type { RuleState } from '../../engine/rule-states.ts'
import type { RuleView } from '../../engine/rule-views.ts'
import { RULE_LIMITS } from '../../model/limit.ts'
import { failures } from '../errors.ts'
import { nextSchema, pageOf, pageQuery } from '../paging.ts'
import { createRouter } from '../router.ts'

const time = z.string().nullable()

export const ruleSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['rule', 'scheduled_rule', 'policy', 'correlation_rule']),
  enabled: z.boolean(),
  severity: z.string(),
  log_types: z.array(z.string()),
  tags: z.array(z.string()),
  reports: z.record(z.string(), z.array(z.string())).describe('What it covers, by framework: `MITRE ATT&CK`.'),
  state: z
    .enum(['on', 'off', 'waiting', 'erring'])
    .describe(
      '`off`: disabled, or it cannot be loaded. `waiting`: off for a temporary reason (loading timed out, or it killed its process), and will be retried. `erring`: it runs, but had an error within the last hour.',
    ),
  since: time.describe('When it entered this state, RFC 3339; null: at startup, or unknown.'),
  why: z.string().nullable().describe('Why it is not on.'),
  matches: z.int().describe('Since startup.'),
  errors: z.int().describe('Since startup.'),
  limits: z
    .array(z.object({ what: z.enum(RULE_LIMITS), count: z.int(), last: z.string() }))
    .describe(
      'Limits that it reached since the data folder was created. `dedup`: matches that shared an alert because it had too many windows. `unique`: windows whose number of distinct values is an estimate. `cache`: entries evicted from the rule cache.',
    ),
  overrides: z
    .array(z.object({ key: z.string(), file: z.string(), line: z.int().nullable() }))
    .describe('Keys set by `overrides.yml` in a content folder, and where.'),
  not_judged: z
    .array(
      z.object({
        from: z.string(),
        to: time.describe('null: not over yet.'),
        log_types: z.array(z.string()),
        events: z.int().describe('Number of events of these log types in that time, as far as they were counted.'),
        why: z.string(),
        replay: z.string().nullable().describe('The id of the replay that judges them late; null: none does.'),
      }),
    )
    .describe('Times in which the rule was enabled but off: it did not judge the events of that time as they came.'),
})

/** Days whose alerts are counted for the list. */
const RECENT_DAYS = 30

export const listedRuleSchema = ruleSchema.extend({
  last_match: time.describe('Since startup.'),
  cost: z
    .number()
    .nullable()
    .describe('Its share of the time spent in all rules that the caller may see, 0 to 1; null: no time was spent.'),
  recent_alerts: z.int().describe(`Raised in the last ${RECENT_DAYS} days.`),
  precision: z
    .number()
    .nullable()
    .describe('Useful alerts among those of these days with a quality, 0 to 1; null: none has one.'),
})

const rulesSchema = z.object({
  results: z.array(listedRuleSchema),
  next: nextSchema,
  problems: z.array(z.object({ file: z.string(), message: z.string() })).describe('Content that cannot be used.'),
  notices: z.array(z.string()),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/rules',
  summary: 'Rules, their state, and what could not be loaded.',
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: {
      description: 'A page of rules; `problems` and `notices` are about all.',
      content: { 'application/json': { schema: rulesSchema } },
    },
    ...failures(400),
  },
})

export function ruleRoutes(engine: Engine) {
  return createRouter().openapi(list, async (c) => {
    const { content } = engine
    const all = await listedRules(engine)
    const isOn = new Set(all.filter(({ state }) => state === 'on' || state === 'erring').map(({ id }) => id))
    const problems = content.problems.filter(({ file }) => !isOn.has(file)).map(({ file, message }) => ({ file, message }))
    const { results, next } = pageOf(all, c.req.valid('query'), ({ id }) => id)
    return c.json({ results, next, problems, notices: [...content.notices] }, 200)
  })
}

async function listedRules(engine: Engine): Promise<z.output<typeof listedRuleSchema>[]> {
  const { rules } = engine.content
  const views = await ruleViews(engine, rules)
  const states = engine.ruleStates(rules)
  const seconds = states.reduce((sum, state) => sum + state.seconds, 0)
  const recent = await engine.read.alertQualities(Date.now() - RECENT_DAYS * 86_400_000)
  const byRule = new Map(recent.map((one) => [one.ruleId, one]))
  return views.map((view, i) => {
    const { alerts, useful, noise } = byRule.get(view.id) ?? { alerts: 0, useful: 0, noise: 0 }
    return {
      ...view,
      last_match: timeOf(states[i]!.lastMatchMs),
      cost: seconds > 0 ? states[i]!.seconds / seconds : null,
      recent_alerts: alerts,
      precision: useful + noise > 0 ? useful / (useful + noise) : null,
    }
  })
}

/** Rules with their state, as the API shows them. */
export async function ruleViews(engine: Engine, rules: readonly RuleView[]): Promise<z.output<typeof ruleSchema>[]> {
  const reached = await engine.read.limits()
  const states = engine.ruleStates(rules)
  return rules.map((rule, i) => ruleView(rule, states[i]!, reached))
}

function ruleView(
  rule: RuleView,
  state: RuleState,
  reached: Awaited<ReturnType<Engine['read']['limits']>>,
): z.output<typeof ruleSchema> {
  const { id, displayName, kind, enabled, severity, logTypes, tags, reports, overrides } = rule
  return {
    id,
    name: displayName,
    kind,
    enabled,
    severity,
    log_types: [...logTypes],
    tags: [...tags],
    reports: Object.fromEntries(Object.entries(reports).map(([name, entries]) => [name, [...entries]])),
    state: state.state,
    since: timeOf(state.sinceMs),
    why: state.why ?? null,
    matches: state.matches,
    errors: state.errors,
    limits: reached
      .filter(({ ruleId }) => ruleId === id)
      .map(({ what, n, lastMs }) => ({ what, count: n, last: new Date(lastMs).toISOString() })),
    overrides: overrides.map(({ key, file, line = null }) => ({ key, file, line })),
    not_judged: state.spans.map(({ fromMs, toMs, logTypes: types, events, why: reason, late }) => ({
      from: new Date(fromMs).toISOString(),
      to: timeOf(toMs),
      log_types: [...types],
      events,
      why: reason,
      replay: late || null,
    })),
  }
}

/** RFC 3339, or null. */
export function timeOf(ms: number | null | undefined): string | null {
  return ms == null ? null : new Date(ms).toISOString()
}
