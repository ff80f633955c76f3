import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { RuleText } from '../../engine/authoring/rule-text.ts'
import type { Engine } from '../../engine/engine.ts'
import type { RuleView } from '../../engine/rule-views.ts'
import { coverageIn, TACTICS, techniqueName } from '../../model/mitre.ts'
import { ConfigError } from '../../util/errors.ts'
import { currentCaller } from '../access/caller.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { ruleSchema, ruleViews, timeOf } from './rules.ts'

const DAY_MS = 86_400_000
const MAX_DAYS = 90

const time = z.string().nullable()

export const ruleParam = z.object({ id: z.string().min(1).max(500).describe('Id of the rule.') })

const fileSchema = z.object({
  root: z.string().describe('The content folder, as the configuration names it.'),
  path: z.string().describe('Path inside the content folder.'),
  yaml: z.string(),
  code_path: z.string().nullable(),
  code: z.string().nullable().describe('null: the rule has no code file, or runs that of another rule.'),
  revision: z.string().describe('Hash of the texts. A change has to name the one that it is based on.'),
  read_only: z.string().nullable().describe('Why the files cannot be edited here; null: they can.'),
})

export const ruleDetailSchema = ruleSchema.extend({
  version: z.string().describe('Hash of metadata and code, as alerts name it.'),
  description: z.string(),
  runbook: z.string(),
  reference: z.string(),
  threshold: z.int(),
  dedup_period_minutes: z.int(),
  creates_alerts: z.boolean().describe('false: matches are stored, and raise no alert.'),
  destinations: z.array(z.string()).describe('Ids of the destinations that it names.'),
  base_rule: z.string().nullable().describe('The rule whose code it runs, if it is derived.'),
  scheduled_queries: z.array(z.string()),
  techniques: z
    .array(
      z.object({
        tactic: z.string().describe('As in `TA0001`.'),
        tactic_name: z.string().nullable(),
        technique: z.string().describe('As in `T1078` or `T1078.004`.'),
        name: z.string().nullable().describe('null: not a technique of the enterprise matrix.'),
      }),
    )
    .describe('What it covers of MITRE ATT&CK, by its `Reports`.'),
  last_match: time.describe('Since startup.'),
  last_error: z.object({ time: z.string(), message: z.string() }).nullable().describe('Since startup.'),
  cost: z.object({
    seconds: z.number().describe('Time spent in the rule since startup.'),
    share: z
      .number()
      .nullable()
      .describe('Its share of the time spent in all rules that the caller may see, 0 to 1; null: no time was spent.'),
  }),
  problems: z.array(z.string()).describe('System problems about it, such as fields that it reads and that no longer arrive.'),
  alerts: z
    .object({
      since: z.string(),
      raised: z.int(),
      matches: z.int().describe('In these alerts.'),
      last: time,
      useful: z.int(),
      noise: z.int(),
      precision: z.number().nullable().describe('Useful alerts among those with a quality, 0 to 1; null: none has one.'),
      days: z.array(z.object({ day: z.string(), alerts: z.int(), matches: z.int() })).describe('By UTC day, oldest first.'),
      is_cut: z.boolean().describe('There are more alerts; the newest were counted.'),
    })
    .describe('Its alerts in the last days.'),
  source: fileSchema,
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/rules/{id}',
  summary: 'One rule: its source, its state, its alerts, its errors and its cost.',
  request: {
    params: ruleParam,
    query: z.strictObject({
      days: z.coerce.number().int().min(1).max(MAX_DAYS).default(30).describe('Number of days whose alerts are counted.'),
    }),
  },
  responses: {
    200: { description: 'The rule.', content: { 'application/json': { schema: ruleDetailSchema } } },
    ...failures(400, 404),
  },
})

/** `GET /api/v1/rules/{id}`. */
export function ruleDetailRoutes(engine: Engine) {
  return createRouter().openapi(show, async (c) => {
    const rule = ruleOf(engine, c.req.valid('param').id)
    const sinceMs = (Math.floor(Date.now() / DAY_MS) + 1 - c.req.valid('query').days) * DAY_MS
    const [common] = await ruleViews(engine, [rule])
    const detail = {
      ...common!,
      ...aboutOf(rule),
      ...countsOf(engine, rule),
      problems: await problemsOf(engine, rule),
      alerts: await alertsOf(engine, rule, sinceMs),
      source: sourceView(await known(() => engine.ruleText(rule.id))),
    }
    return c.json(detail, 200)
  })
}

/** The rule with this id. Throws `ApiError` unless there is one that the caller may see. */
export function ruleOf({ content }: Pick<Engine, 'content'>, id: string): RuleView {
  const rule = content.rules.find((one) => one.id === id)
  if (!rule) throw new ApiError(404, 'not_found', `there is no rule '${id}'`)
  return rule
}

/** What is unknown is not found. */
export async function known<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ConfigError) throw new ApiError(404, 'not_found', error.message)
    throw error
  }
}

function aboutOf(rule: RuleView) {
  return {
    version: rule.version,
    description: rule.description,
    runbook: rule.runbook,
    reference: rule.reference,
    threshold: rule.threshold,
    dedup_period_minutes: rule.dedupPeriodMinutes,
    creates_alerts: rule.createAlert,
    destinations: [...rule.outputIds],
    base_rule: rule.baseDetection ?? null,
    scheduled_queries: [...rule.scheduledQueries],
    techniques: coverageIn(rule.reports).map(({ tactic, technique }) => ({
      tactic,
      tactic_name: TACTICS.get(tactic) ?? null,
      technique,
      name: techniqueName(technique) ?? null,
    })),
  }
}

function countsOf(engine: Engine, rule: RuleView) {
  const states = engine.ruleStates(engine.content.rules)
  const own = states.find(({ ruleId }) => ruleId === rule.id)!
  const total = states.reduce((sum, { seconds }) => sum + seconds, 0)
  const { lastError, lastMatchMs, seconds } = own
  return {
    last_match: timeOf(lastMatchMs),
    last_error: lastError ? { time: timeOf(lastError.atMs)!, message: lastError.message } : null,
    cost: { seconds, share: total > 0 ? seconds / total : null },
  }
}

async function problemsOf(engine: Engine, { id }: RuleView): Promise<string[]> {
  // Health is about everything, and cannot be limited to log types.
  if (currentCaller()?.logTypes) return []
  const { systemProblems } = await engine.health()
  return systemProblems
    .filter(({ what, key, covers = [] }) => what.startsWith('Rule') && (key === id || covers.includes(id)))
    .map(({ message }) => message)
}

async function alertsOf(engine: Engine, { id }: RuleView, sinceMs: number) {
  const { alerts, matches, lastMs, useful, noise, days, isCut } = await engine.read.ruleAlerts(id, sinceMs)
  return {
    since: new Date(sinceMs).toISOString(),
    raised: alerts,
    matches,
    last: timeOf(lastMs),
    useful,
    noise,
    precision: useful + noise > 0 ? useful / (useful + noise) : null,
    days: [...days],
    is_cut: isCut,
  }
}

function sourceView({ root, path, yaml, code, revision, readOnly }: RuleText): z.output<typeof fileSchema> {
  return {
    root,
    path,
    yaml,
    code_path: code?.path ?? null,
    code: code?.text ?? null,
    revision,
    read_only: readOnly ?? null,
  }
}
