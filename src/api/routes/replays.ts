import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { REPLAY_STATES, type Replay, type ReplayAlert, type ReplayAsk, type RuleComparison } from '../../model/replay.ts'
import { SEVERITIES } from '../../model/rule.ts'
import { ApiError, failures } from '../errors.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'

const MAX_NAMES = 500
/** Later than any other time. */
export const END_OF_TIME_MS = 8.64e15

const names = z.array(z.string().min(1).max(500)).max(MAX_NAMES)
const instant = z.iso.datetime({ offset: true })

const mode = {
  dry_run: z.boolean().default(false).describe('Report what would happen without changing anything.'),
  generation: z.string().optional().describe('Refused unless it is the content in force: see `/api/v1/content`.'),
  table_versions: z
    .record(z.string(), z.string())
    .optional()
    .describe('Table → version. Refused unless these are in force: see `/api/v1/tables`.'),
}

const askSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('dead-letters').describe('Parse dead letters again.'),
    sources: names.default([]).describe('Only those of these sources; empty: of all.'),
    reasons: names.default([]).describe('Only those with these reasons; empty: with any.'),
    since: instant.optional().describe('Only those received since then.'),
    deliver: z.boolean().default(true).describe('Send alerts to their destinations.'),
    ...mode,
  }),
  z.strictObject({
    kind: z.literal('events').describe('Judge stored events again.'),
    log_types: names.default([]).describe('Empty: those of `rules`.'),
    rules: names.default([]).describe('Empty: all that judge these log types.'),
    from: instant,
    to: instant.optional().describe('Exclusive; absent, or in the future: now.'),
    by: z.enum(['event', 'received']).default('event').describe('Which time of an event the range is about.'),
    as_of: instant.optional().describe('Join events with the tables in force at that time; absent: now.'),
    deliver: z.boolean().default(false).describe('Send alerts to their destinations.'),
    ...mode,
  }),
])

type Ask = z.output<typeof askSchema>

const time = z.string().describe('RFC 3339, UTC.')

const alertSchema = z.object({
  alert_id: z.string().nullable().describe('null in a dry run.'),
  rule_id: z.string(),
  severity: z.enum(SEVERITIES),
  title: z.string(),
  dedup: z.string(),
  event_count: z.int(),
  first_event_time: z.string(),
  last_event_time: z.string(),
})

const difference = z.object({
  before: z.int(),
  after: z.int(),
  added: z.int().describe('Only after the change.'),
  removed: z.int().describe('Only before the change.'),
})

const comparisonSchema = z.object({
  rule_id: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  matches: difference,
  alerts: difference.describe('Alerts of the same dedup string whose windows overlap are the same alert.'),
  errors: z.object({ before: z.int(), after: z.int() }),
  last_error: z.string().nullable(),
  added_alerts: z.array(alertSchema).describe('The first of them.'),
  removed_alerts: z.array(alertSchema).describe('The first of them.'),
})

export const replaySchema = z.object({
  id: z.string(),
  kind: z
    .enum(['dead-letters', 'events', 'retro-match', 'backtest'])
    .describe(
      '`retro-match`: Caracal asked for it, because a table learned of values in stored events. `backtest`: see `POST /api/v1/backtests`.',
    ),
  state: z.enum(REPLAY_STATES),
  dry_run: z.boolean(),
  deliver: z.boolean(),
  created_time: time,
  started_time: time.nullable(),
  ended_time: time.nullable(),
  chosen: z
    .object({
      sources: z.array(z.string()),
      reasons: z.array(z.string()),
      since: z.string().nullable(),
      log_types: z.array(z.string()),
      rules: z.array(z.string()),
      from: z.string().nullable(),
      to: z.string().nullable(),
      by: z.enum(['event', 'received']).nullable(),
      as_of: z.string().nullable().describe('Events are joined with the tables in force then; null: now.'),
      table: z.string().nullable().describe('The lookup table, for a retro-match.'),
    })
    .describe('What is replayed.'),
  generation: z.string().nullable().describe('The content that judged last.'),
  tables: z.record(z.string(), z.string()).describe('The versions of tables that events were joined with last.'),
  records: z
    .object({ read: z.int(), of: z.int().nullable() })
    .describe('How far it has come. `of` is null until they are counted.'),
  rows_read: z
    .int()
    .nullable()
    .describe("Rows of the lake's events tables that a retro-match has read to find its records; else null."),
  stored: z.int().describe('Dead letters that became events.'),
  filtered: z.int().describe('Dead letters that a filter keeps out.'),
  failing: z
    .record(z.string(), z.int())
    .describe('Records that cannot be used, by reason. `cut`: not all of their bytes were kept.'),
  rules: z.array(
    z.object({
      rule_id: z.string(),
      matches: z.int().describe('Not counting those that were known.'),
      known: z.int().describe('Matches of the same version of the rule that were stored before: they are not stored again.'),
      errors: z.int(),
      last_error: z.string().nullable(),
      samples: z.array(z.object({ time, row_id: z.string(), log_type: z.string(), title: z.string() })),
    }),
  ),
  alerts: z.int().describe('Alerts opened; in a dry run those that would be.'),
  first_alerts: z.array(alertSchema),
  comparison: z
    .array(comparisonSchema)
    .nullable()
    .describe('Of a backtest: the rules that differ. Alerts are compared at its end. Else null.'),
  notes: z.array(z.string()),
})

const answer = (description: string) => ({ description, content: { 'application/json': { schema: replaySchema } } })

const add = createRoute({
  method: 'post',
  path: '/api/v1/replays',
  summary: 'Judges the past again: dead letters after a fix, or stored events with the rules and tables in force.',
  request: { body: { required: true, content: { 'application/json': { schema: askSchema } } } },
  responses: { 202: answer('It runs, or waits for its turn: one runs at a time.'), ...failures(400, 503) },
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/replays',
  summary: 'Replays, newest first: those that wait or run, and the last ones that are over.',
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: { description: 'A page of them.', content: { 'application/json': { schema: pageSchema(replaySchema) } } },
    ...failures(400),
  },
})

const idParam = z.object({ id: z.string().max(40) })

const show = createRoute({
  method: 'get',
  path: '/api/v1/replays/{id}',
  summary: 'One replay and its progress so far.',
  request: { params: idParam },
  responses: { 200: answer('The replay.'), ...failures(404) },
})

const cancel = createRoute({
  method: 'delete',
  path: '/api/v1/replays/{id}',
  summary: 'Ends a replay where it is. What it has stored stays. One that is over stays as it is.',
  request: { params: idParam },
  responses: { 200: answer('The replay as it is now.'), ...failures(404) },
})

export function replayRoutes(engine: Engine) {
  return createRouter()
    .openapi(add, async (c) => {
      const ask = c.req.valid('json')
      await refuseOtherVersions(ask, engine)
      if (ask.kind === 'dead-letters') await refuseUnknownSources(ask.sources, engine)
      return c.json(replayView(await engine.addReplay(askOf(ask))), 202)
    })
    .openapi(list, async (c) => {
      const newest = [...(await engine.replays())].reverse()
      const { results, next } = pageOf(newest, c.req.valid('query'), ({ id }) => id)
      return c.json({ results: results.map(replayView), next }, 200)
    })
    .openapi(show, async (c) => {
      const { id } = c.req.valid('param')
      return c.json(
        replayView(
          known(
            (await engine.replays()).find((replay) => replay.id === id),
            id,
          ),
        ),
        200,
      )
    })
    .openapi(cancel, async (c) => {
      const { id } = c.req.valid('param')
      return c.json(replayView(known(await engine.cancelReplay(id), id)), 200)
    })
}

function known(replay: Replay | undefined, id: string): Replay {
  if (!replay) throw new ApiError(404, 'not_found', `there is no replay '${id}'; \`caracal replay list\` lists them`)
  return replay
}

/** Sources that are no longer configured still have dead letters, and are known. */
async function refuseUnknownSources(wanted: readonly string[], engine: Engine): Promise<void> {
  const known = (await engine.sources()).map(({ id }) => id)
  const unknown = wanted.find((id) => !known.includes(id))
  if (unknown !== undefined) throw new ApiError(400, 'bad_request', `there is no source '${unknown}'. Known: ${known.join(', ')}`)
}

/** Old versions are not stored, so only what is in force can judge. */
async function refuseOtherVersions({ generation, table_versions = {} }: Ask, engine: Engine): Promise<void> {
  if (generation !== undefined && generation !== engine.generation)
    throw new ApiError(
      400,
      'bad_request',
      `generation ${generation} is not in force, and a replay judges with what is: put it back in force, or leave generation out to judge with ${engine.generation}`,
    )
  const wanted = Object.entries(table_versions)
  if (wanted.length === 0) return
  const now = new Map((await engine.tables()).map(({ name, version }) => [name, version]))
  for (const [name, version] of wanted)
    if (now.get(name) !== version)
      throw new ApiError(
        400,
        'bad_request',
        `table '${name}' of version ${version} is not in force: use as_of to join tables as they were at a time, or leave table_versions out to judge with ${now.get(name) ?? 'what there is'}`,
      )
}

function askOf(ask: Ask): ReplayAsk {
  const { dry_run: dryRun, deliver } = ask
  if (ask.kind === 'dead-letters') {
    const { kind, sources, reasons, since } = ask
    return { kind, dryRun, deliver, sources, reasons, ...(since !== undefined && { sinceMs: Date.parse(since) }) }
  }
  const { kind, log_types: logTypes, rules, by, from, to, as_of: asOf } = ask
  const toMs = to === undefined ? END_OF_TIME_MS : Date.parse(to)
  return {
    kind,
    dryRun,
    deliver,
    logTypes,
    rules,
    by,
    fromMs: Date.parse(from),
    toMs,
    ...(asOf !== undefined && { asOfMs: Date.parse(asOf) }),
  }
}

/** A replay as the API shows it. */
export function replayView({ id, ask, state, report, parts, notes, ...replay }: Replay): z.output<typeof replaySchema> {
  return {
    id,
    kind: ask.kind,
    state,
    dry_run: ask.dryRun,
    deliver: ask.deliver,
    created_time: iso(replay.createdMs)!,
    started_time: iso(replay.startedMs),
    ended_time: iso(replay.endedMs),
    chosen: chosenOf(ask),
    generation: replay.generation ?? null,
    tables: { ...replay.tables },
    records: { read: report.records, of: parts ? parts.reduce((sum, { records }) => sum + records, 0) : null },
    rows_read: ask.kind === 'retro-match' ? (replay.rowsRead ?? 0) : null,
    stored: report.stored,
    filtered: report.filtered,
    failing: { ...report.failing },
    rules: report.rules.map(({ ruleId, matches, known: before, errors, lastError, samples }) => ({
      rule_id: ruleId,
      matches,
      known: before,
      errors,
      last_error: lastError ?? null,
      samples: samples.map(({ time: at, rowId, logType, title }) => ({ time: at, row_id: rowId, log_type: logType, title })),
    })),
    alerts: report.alerts,
    first_alerts: report.firstAlerts.map((alert) => alertView(alert, ask.dryRun)),
    comparison: replay.comparison?.map(comparisonView) ?? null,
    notes: Object.values(notes),
  }
}

function alertView(alert: ReplayAlert, isDry: boolean): z.output<typeof alertSchema> {
  return {
    alert_id: isDry ? null : alert.alertId,
    rule_id: alert.ruleId,
    severity: alert.severity,
    title: alert.title,
    dedup: alert.dedup,
    event_count: alert.events,
    first_event_time: alert.firstEventTime,
    last_event_time: alert.lastEventTime,
  }
}

function comparisonView(rule: RuleComparison): z.output<typeof comparisonSchema> {
  const { ruleId, change, matches, alerts, errors, lastError, addedAlerts, removedAlerts } = rule
  return {
    rule_id: ruleId,
    change,
    matches: { ...matches },
    alerts: { ...alerts },
    errors: { ...errors },
    last_error: lastError ?? null,
    added_alerts: addedAlerts.map((alert) => alertView(alert, true)),
    removed_alerts: removedAlerts.map((alert) => alertView(alert, true)),
  }
}

function chosenOf(ask: ReplayAsk): z.output<typeof replaySchema>['chosen'] {
  const none = {
    sources: [],
    reasons: [],
    since: null,
    log_types: [],
    rules: [],
    from: null,
    to: null,
    by: null,
    as_of: null,
    table: null,
  }
  if (ask.kind === 'dead-letters')
    return { ...none, sources: [...ask.sources], reasons: [...ask.reasons], since: iso(ask.sinceMs) }
  const { logTypes, rules, fromMs, toMs, by, asOfMs } = ask
  const table = ask.kind === 'retro-match' ? ask.table : null
  return { ...none, log_types: [...logTypes], rules: [...rules], from: iso(fromMs), to: iso(toMs), by, as_of: iso(asOfMs), table }
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
