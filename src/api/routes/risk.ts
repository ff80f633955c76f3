import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { riskSettings } from '../../config/risk.ts'
import type { Engine } from '../../engine/engine.ts'
import { INDICATOR_FIELDS, type IndicatorField } from '../../model/event.ts'
import { decayed, ENTITY_KINDS, type EntityKind, entityText, type RiskEntity } from '../../model/risk.ts'
import { ApiError, failures } from '../errors.ts'
import { cursorOf, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

const MAX_PAGE = 200
const KINDS = [...new Set(Object.values(ENTITY_KINDS))] as [EntityKind, ...EntityKind[]]
const placeSchema = z.tuple([z.number(), z.int()])
const time = z.string().describe('RFC 3339, UTC.')
const points = z.number().describe('Points, decayed to now.')
const kind = z.enum(KINDS).describe('What it is, as in timelines.')

export const riskEntitySchema = z.object({
  kind,
  entity: z.string(),
  score: points,
  last_time: time.describe('When a match last counted.'),
  alerted: z.boolean().describe('It has reached the threshold, and has an alert since; false again once it has decayed below.'),
  rules: z
    .array(z.object({ rule_id: z.string(), name: z.string().nullable(), points, times: z.int(), last_time: time }))
    .describe('What each rule has contributed, most first; of the last 50 rules.'),
})

const settings = {
  threshold: z.number().nullable().describe('An entity whose score reaches this gets an alert; null: risk is off.'),
  half_life_hours: z.number().nullable().describe('Hours in which risk decays to its half; null: risk is off.'),
}

const list = createRoute({
  method: 'get',
  path: '/api/v1/risk',
  summary: 'Entities by risk, most first, with what each rule has contributed.',
  request: {
    query: z.strictObject({
      kind: kind.optional(),
      prefix: storable(2048).default('').describe('What the entity begins with, in any case.'),
      min_score: z.coerce.number().min(0.1).max(1e9).default(0.1).describe('The least score to list.'),
      ...pageQuery(MAX_PAGE, 50),
    }),
  },
  responses: {
    200: {
      description: 'A page of them.',
      content: { 'application/json': { schema: pageSchema(riskEntitySchema).extend(settings) } },
    },
    ...failures(400),
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/risk/entity',
  summary: 'The risk of one entity.',
  request: { query: z.strictObject({ kind, entity: storable(2048).min(1).describe('In any case and spelling.') }) },
  responses: {
    200: {
      description: 'The entity.',
      content: { 'application/json': { schema: riskEntitySchema.extend(settings) } },
    },
    ...failures(400, 404),
  },
})

/** Routes of the risk of entities. */
export function riskRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { kind: of, prefix, min_score: minScore, limit, cursor } = c.req.valid('query')
      const risk = riskSettings(engine.config)
      if (!risk) return c.json({ results: [], next: null, ...settingsOf(engine) }, 200)
      const [rank, row] = cursor === undefined ? [] : readCursor(cursor, placeSchema)
      const nowMs = Date.now()
      const { entities, next } = await engine.read.risk({
        ...{ fields: of ? fieldsOf(of) : [], prefix: prefix.toLowerCase(), minScore, nowMs, halfLifeMs: risk.halfLifeMs, limit },
        ...(rank !== undefined && { after: { rank, row: row! } }),
      })
      const results = entities.map((entity) => riskView(engine, entity, risk.halfLifeMs, nowMs))
      return c.json({ results, next: next ? cursorOf([next.rank, next.row]) : null, ...settingsOf(engine) }, 200)
    })
    .openapi(show, async (c) => {
      const { kind: of, entity } = c.req.valid('query')
      const risk = riskSettings(engine.config)
      const refs = fieldsOf(of).map((field) => ({ field, value: entityText(field, entity.trim()) }))
      const [found] = risk ? await engine.read.riskOf(refs) : []
      if (risk && found) return c.json({ ...riskView(engine, found, risk.halfLifeMs, Date.now()), ...settingsOf(engine) }, 200)
      const why = risk ? 'no rule has matched its events lately' : '`risk` is not in the configuration'
      throw new ApiError(404, 'not_found', `there is no risk of the ${of} '${entity.slice(0, 80)}': ${why}`)
    })
}

function fieldsOf(of: EntityKind): IndicatorField[] {
  return INDICATOR_FIELDS.filter((field) => ENTITY_KINDS[field] === of)
}

function settingsOf({ config: { risk } }: Pick<Engine, 'config'>) {
  return { threshold: risk?.threshold ?? null, half_life_hours: risk?.half_life_hours ?? null }
}

function riskView(
  { content }: Pick<Engine, 'content'>,
  { field, value, score, atMs, isAlerted, shares }: RiskEntity,
  halfLifeMs: number,
  nowMs: number,
): z.output<typeof riskEntitySchema> {
  const names = new Map(content.rules.map(({ id, displayName }) => [id, displayName]))
  const rules = shares.map(({ ruleId, points, times, lastMs }) => ({
    rule_id: ruleId,
    name: names.get(ruleId) ?? null,
    points: rounded(decayed(points, nowMs - lastMs, halfLifeMs)),
    times,
    last_time: iso(lastMs),
  }))
  return {
    kind: ENTITY_KINDS[field],
    entity: value,
    score: rounded(decayed(score, nowMs - atMs, halfLifeMs)),
    last_time: iso(atMs),
    alerted: isAlerted,
    rules: rules.sort((a, b) => b.points - a.points || (a.rule_id < b.rule_id ? -1 : 1)),
  }
}

function rounded(score: number): number {
  return Math.round(score * 10) / 10
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
