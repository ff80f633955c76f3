import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { RuleChange } from '../../engine/authoring/rules.ts'
import type { Trial } from '../../engine/authoring/trial.ts'
import type { Engine } from '../../engine/engine.ts'
import { pathFault } from '../../packs/content-path.ts'
import { callerName } from '../access/caller.ts'
import { authorOf, editedSchema, editedView, messageShape } from '../edited-view.ts'
import { ApiError, failures } from '../errors.ts'
import { PROBLEM_TYPE } from '../problem.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { refusedSchema, refusedView, trialSchema, trialView } from '../trial-view.ts'
import { known, ruleOf, ruleParam } from './rule-detail.ts'
import { draftShape } from './rule-tests.ts'

/** What a change of a rule names. */
export const revision = storable(64)
  .min(1)
  .describe('`source.revision` of what the change is based on; refused if it was changed since.')

export const allowFailing = z
  .boolean()
  .default(false)
  .describe('Save although unit tests fail. A rule that cannot be loaded is never saved.')

const saveSchema = z.strictObject({ ...draftShape, revision, allow_failing: allowFailing, ...messageShape })

const createSchema = z.strictObject({
  ...draftShape,
  path: storable(500)
    .optional()
    .describe('Path of the YAML file in the content folder. Default: `rules/`, and the id in lower case.'),
  allow_failing: allowFailing,
  ...messageShape,
})

const overrideSchema = z
  .strictObject({
    enabled: z.boolean().nullable().optional(),
    severity: z.enum(['Info', 'Low', 'Medium', 'High', 'Critical']).nullable().optional(),
    threshold: z.int().min(1).max(1_000_000).nullable().optional(),
    dedup_period_minutes: z.int().min(5).max(1440).nullable().optional(),
    destinations: z.array(storable(200).min(1)).max(100).nullable().optional().describe('Ids of destinations.'),
    ...messageShape,
  })
  .refine(({ message: _, ...keys }) => Object.keys(keys).length > 0, 'nothing to change')

const savedSchema = editedSchema.extend({
  id: z.string(),
  revision: z.string().describe("'' once it is deleted."),
  notes: z.array(z.string()),
  tests: trialSchema.nullable().describe('The unit tests that were run before.'),
})

/** What a saved change answers. */
export const saved = { 200: { description: 'It was saved.', content: { 'application/json': { schema: savedSchema } } } }
export const refused = { 422: { description: 'Nothing was written.', content: { [PROBLEM_TYPE]: { schema: refusedSchema } } } }

export const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { 'application/json': { schema } } }) as const

const save = createRoute({
  method: 'put',
  path: '/api/v1/rules/{id}',
  summary: 'Saves the files of a rule and puts them in force. Its unit tests run first, and must pass.',
  request: { params: ruleParam, body: body(saveSchema) },
  responses: { ...saved, ...refused, ...failures(400, 404, 409, 503) },
})

const create = createRoute({
  method: 'post',
  path: '/api/v1/rules',
  summary: 'Writes a new rule and puts it in force. Its unit tests run first, and must pass.',
  request: { body: body(createSchema) },
  responses: { ...saved, ...refused, ...failures(400, 409, 503) },
})

const remove = createRoute({
  method: 'delete',
  path: '/api/v1/rules/{id}',
  summary: 'Deletes the files of a rule. Rules of shipped packs and of repositories cannot be deleted, but disabled.',
  request: { params: ruleParam, query: z.strictObject({ revision: revision.optional() }) },
  responses: { ...saved, ...refused, ...failures(400, 404, 409, 503) },
})

const override = createRoute({
  method: 'patch',
  path: '/api/v1/rules/{id}',
  summary: 'Overrides keys of a rule, whoever brings it, in `overrides.yml` of the content folder; null: as its own file says.',
  request: { params: ruleParam, body: body(overrideSchema) },
  responses: {
    200: { description: 'It is in force.', content: { 'application/json': { schema: editedSchema } } },
    ...refused,
    ...failures(400, 404, 503),
  },
})

/** Changes to rules: the same files that people edit, written, tested and put in force. */
export function ruleEditRoutes(engine: Engine) {
  return createRouter()
    .openapi(create, async (c) => {
      const { yaml, code, path, allow_failing, message } = c.req.valid('json')
      const fault = path === undefined ? undefined : pathFault(path, ['.yml', '.yaml'])
      if (fault !== undefined) throw new ApiError(400, 'bad_request', `path: ${fault}`)
      const ask = { yaml, code, path, allowFailing: allow_failing, actor: callerName(), message }
      return answerChange(c, await engine.authoring.rules.create(ask))
    })
    .openapi(save, async (c) => {
      const { id } = ruleOf(engine, c.req.valid('param').id)
      const { yaml, code, revision: based, allow_failing, message } = c.req.valid('json')
      const author = authorOf(message, `Change the rule ${id}`)
      const ask = { ruleId: id, yaml, code, revision: based, allowFailing: allow_failing, ...author }
      return answerChange(c, await known(() => engine.authoring.rules.save(ask)))
    })
    .openapi(remove, async (c) => {
      const { id } = ruleOf(engine, c.req.valid('param').id)
      const author = authorOf(undefined, `Delete the rule ${id}`)
      return answerChange(c, await known(() => engine.authoring.rules.remove(id, c.req.valid('query').revision, author)))
    })
    .openapi(override, async (c) => {
      const { id } = ruleOf(engine, c.req.valid('param').id)
      const { message, ...keys } = c.req.valid('json')
      const author = authorOf(message, `Override the rule ${id}`)
      const edited = await known(() => engine.authoring.rules.override(id, valuesOf(keys), author))
      if (edited.kind === 'done') return c.json(editedView(edited), 200)
      return c.json(broken(edited.problems), 422, { 'content-type': PROBLEM_TYPE })
    })
}

function valuesOf(keys: Omit<z.output<typeof overrideSchema>, 'message'>): Record<string, unknown> {
  const { enabled, severity, threshold, dedup_period_minutes: minutes, destinations } = keys
  const named = {
    Enabled: enabled,
    Severity: severity,
    Threshold: threshold,
    DedupPeriodMinutes: minutes,
    OutputIds: destinations,
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}

export function answerChange(c: Context, change: RuleChange) {
  switch (change.kind) {
    case 'done': {
      const { ruleId: id, revision: now, notes, trial } = change
      return c.json({ ...editedView(change), id, revision: now, notes: [...notes], tests: trial ? trialView(trial) : null }, 200)
    }
    case 'conflict':
      throw new ApiError(409, 'conflict', change.message)
    case 'broken':
      return c.json(broken(change.problems), 422, { 'content-type': PROBLEM_TYPE })
    case 'failing': {
      const detail = 'nothing was saved, because unit tests fail or the rule cannot be used: see `rules` and `problems`'
      return c.json(refusedView({ code: 'tests_failed', detail }, change.trial), 422, { 'content-type': PROBLEM_TYPE })
    }
  }
}

function broken(problems: Trial['problems']) {
  const detail = 'nothing was saved, because the content would be broken: see `problems`'
  return refusedView({ code: 'broken', detail }, { rules: [], problems })
}
