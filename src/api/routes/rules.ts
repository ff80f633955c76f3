import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { RULE_LIMITS } from '../../model/limit.ts'
import { createRouter } from '../router.ts'

const time = z.string().nullable()

export const ruleSchema = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  severity: z.string(),
  log_types: z.array(z.string()),
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

const rulesSchema = z.object({
  results: z.array(ruleSchema),
  problems: z.array(z.object({ file: z.string(), message: z.string() })).describe('Content that cannot be used.'),
  notices: z.array(z.string()),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/rules',
  summary: 'Rules, their state, and what could not be loaded.',
  responses: { 200: { description: 'All rules.', content: { 'application/json': { schema: rulesSchema } } } },
})

export function ruleRoutes(engine: Engine) {
  return createRouter().openapi(list, async (c) => {
    const reached = await engine.read.limits()
    const { content } = engine
    const states = engine.ruleStates(content.rules)
    const results = content.rules.map(({ id, displayName, enabled, severity, logTypes, overrides }, i) => {
      const { state, sinceMs, why, matches, errors, spans } = states[i]!
      return {
        id,
        name: displayName,
        enabled,
        severity,
        log_types: [...logTypes],
        state,
        since: timeOf(sinceMs),
        why: why ?? null,
        matches,
        errors,
        limits: reached
          .filter(({ ruleId }) => ruleId === id)
          .map(({ what, n, lastMs }) => ({ what, count: n, last: new Date(lastMs).toISOString() })),
        overrides: overrides.map(({ key, file, line = null }) => ({ key, file, line })),
        not_judged: spans.map(({ fromMs, toMs, logTypes: types, events, why: reason, late }) => ({
          from: new Date(fromMs).toISOString(),
          to: timeOf(toMs),
          log_types: [...types],
          events,
          why: reason,
          replay: late || null,
        })),
      }
    })
    const isOn = new Set(results.filter(({ state }) => state === 'on' || state === 'erring').map(({ id }) => id))
    const problems = content.problems.filter(({ file }) => !isOn.has(file)).map(({ file, message }) => ({ file, message }))
    return c.json({ results, problems, notices: [...content.notices] }, 200)
  })
}

function timeOf(ms: number | null | undefined): string | null {
  return ms == null ? null : new Date(ms).toISOString()
}
