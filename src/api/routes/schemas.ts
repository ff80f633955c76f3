import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { SampleAnswer } from '../../engine/authoring/samples.ts'
import type { SchemaChange, SchemaText } from '../../engine/authoring/schemas.ts'
import type { Engine } from '../../engine/engine.ts'
import { ConfigError, Refused } from '../../util/errors.ts'
import { authorOf, editedSchema, editedView, messageShape } from '../edited-view.ts'
import { ApiError, failures } from '../errors.ts'
import { nextSchema, pageOf, pageQuery } from '../paging.ts'
import { PROBLEM_TYPE, problemOf, problemSchema } from '../problem.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { known } from './rule-detail.ts'

const MAX_SAMPLE_CHARS = 4 * 1024 * 1024

const yaml = storable(1024 * 1024)
  .min(1)
  .describe('The schema file.')
const sample = z.string().min(1).max(MAX_SAMPLE_CHARS).describe('Records, as a source sends them.')
const name = z.object({ name: z.string().min(1).max(200).describe('The log type.') })
const allowFailing = z.boolean().default(false).describe('Save although tests of the schema fail.')

const testsSchema = z
  .array(z.object({ name: z.string(), wrong: z.array(z.string()).describe('Empty if it passed.') }))
  .describe('Tests of the schema.')

const readingSchema = z.object({
  received: z.int(),
  refused: z.int(),
  refusals: z.array(z.object({ reason: z.string(), message: z.string() })).describe('The first refused records.'),
  events: z.array(z.string()).describe('The first events, as JSON text.'),
  unknown_fields: z.record(z.string(), z.int()).describe('Fields that the schema does not have, and in how many events.'),
})

const summarySchema = z.object({ name: z.string(), file: z.boolean().describe('false: it has no file.') })

const textSchema = z.object({
  name: z.string(),
  root: z.string().describe('The content folder, as the configuration names it.'),
  path: z.string(),
  yaml: z.string(),
  revision: z.string().describe('A change has to name the one that it is based on.'),
  read_only: z.string().nullable().describe('Why the file cannot be edited here; null: it can.'),
})

const savedSchema = editedSchema.extend({ revision: z.string(), tests: testsSchema })
const refusedSchema = problemSchema.extend({
  tests: testsSchema,
  problems: z.array(z.object({ file: z.string(), message: z.string() })),
})

const saved = {
  200: { description: 'It is in force.', content: { 'application/json': { schema: savedSchema } } },
  422: { description: 'Nothing was written.', content: { [PROBLEM_TYPE]: { schema: refusedSchema } } },
}
const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { 'application/json': { schema } } }) as const

const list = createRoute({
  method: 'get',
  path: '/api/v1/schemas',
  summary: 'The log types that have a schema.',
  request: { query: z.strictObject(pageQuery(1000)) },
  responses: {
    200: {
      description: 'A page of schemas.',
      content: { 'application/json': { schema: z.object({ results: z.array(summarySchema), next: nextSchema }) } },
    },
    ...failures(400),
  },
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/schemas/{name}',
  summary: 'The file of a schema.',
  request: { params: name },
  responses: { 200: { description: 'The file.', content: { 'application/json': { schema: textSchema } } }, ...failures(404) },
})

const infer = createRoute({
  method: 'post',
  path: '/api/v1/schemas/infer',
  summary: 'Writes a schema for sample records, and tries it out on them. Saves nothing.',
  request: { body: body(z.strictObject({ name: storable(200).min(1).describe('The log type, as in `Custom.Door`.'), sample })) },
  responses: {
    200: {
      description: 'The schema.',
      content: {
        'application/json': {
          schema: z.object({
            yaml: z.string(),
            format: z.string().describe('How records are read, in words.'),
            notes: z.array(z.string()).describe('What could not be decided.'),
            reading: readingSchema,
          }),
        },
      },
    },
    ...failures(400, 503),
  },
})

const tryOut = createRoute({
  method: 'post',
  path: '/api/v1/schemas/test',
  summary: 'Runs the tests of a schema, or reads sample records with it. Saves nothing.',
  request: {
    body: body(
      z.strictObject({
        yaml,
        tests: storable(1024 * 1024)
          .min(1)
          .optional()
          .describe('YAML, as in the file `NAME_tests.yml` next to a schema.'),
        sample: sample.optional(),
      }),
    ),
  },
  responses: {
    200: {
      description: 'The results.',
      content: { 'application/json': { schema: z.object({ tests: testsSchema, reading: readingSchema.nullable() }) } },
    },
    ...failures(400, 503),
  },
})

const create = createRoute({
  method: 'post',
  path: '/api/v1/schemas',
  summary: 'Writes a new schema and puts it in force.',
  request: { body: body(z.strictObject({ yaml, allow_failing: allowFailing, ...messageShape })) },
  responses: { ...saved, ...failures(400, 409, 503) },
})

const save = createRoute({
  method: 'put',
  path: '/api/v1/schemas/{name}',
  summary: 'Saves a schema and puts it in force. Tests in the file next to it run first, and must pass.',
  request: {
    params: name,
    body: body(z.strictObject({ yaml, revision: storable(64).min(1), allow_failing: allowFailing, ...messageShape })),
  },
  responses: { ...saved, ...failures(400, 404, 409, 503) },
})

export function schemaRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, (c) => {
      const files = new Set(engine.content.schemaFiles.map((one) => one.name))
      const all = engine.content.schemas.map((one) => ({ name: one, file: files.has(one) }))
      return c.json(
        pageOf(all, c.req.valid('query'), (one) => one.name),
        200,
      )
    })
    .openapi(show, async (c) =>
      c.json(textView(await known(() => engine.authoring.schemas.text(c.req.valid('param').name))), 200),
    )
    .openapi(infer, async (c) => {
      const { name: logType, sample: text } = c.req.valid('json')
      const { inferred, reading } = await usable(() => engine.authoring.schemas.try({ kind: 'infer', logType, sample: text }))
      return c.json({ ...inferred!, notes: [...inferred!.notes], reading: readingView(reading!) }, 200)
    })
    .openapi(tryOut, async (c) => {
      const { yaml: text, tests, sample: records } = c.req.valid('json')
      const ask = { kind: 'test', yaml: text, tests, sample: records } as const
      const answer = await usable(() => engine.authoring.schemas.try(ask))
      return c.json({ tests: testsView(answer.tests), reading: answer.reading ? readingView(answer.reading) : null }, 200)
    })
    .openapi(create, async (c) => {
      const { yaml: text, allow_failing: allowFailingTests, message } = c.req.valid('json')
      const author = authorOf(message, 'Add a schema')
      const ask = { yaml: text, revision: undefined, allowFailing: allowFailingTests, ...author }
      const change = await usable(() => engine.authoring.schemas.save(ask))
      if (change.kind === 'done') return c.json(savedView(change), 200)
      return c.json(refusedView(change), 422, { 'content-type': PROBLEM_TYPE })
    })
    .openapi(save, async (c) => {
      const { name: logType } = c.req.valid('param')
      await known(() => engine.authoring.schemas.text(logType))
      const { yaml: text, revision, allow_failing: allowFailingTests, message } = c.req.valid('json')
      const author = authorOf(message, `Change the schema ${logType}`)
      const ask = { logType, yaml: text, revision, allowFailing: allowFailingTests, ...author }
      const change = await usable(() => engine.authoring.schemas.save(ask))
      if (change.kind === 'done') return c.json(savedView(change), 200)
      return c.json(refusedView(change), 422, { 'content-type': PROBLEM_TYPE })
    })
}

/** A schema or sample that cannot be used is a mistake of the caller. */
async function usable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ConfigError) throw new Refused(error.message)
    throw error
  }
}

function textView({ readOnly, ...text }: SchemaText): z.output<typeof textSchema> {
  return { ...text, read_only: readOnly ?? null }
}

function readingView({ refusals, events, unknownFields, ...counts }: NonNullable<SampleAnswer['reading']>) {
  return { ...counts, refusals: refusals.map((one) => ({ ...one })), events: [...events], unknown_fields: { ...unknownFields } }
}

function testsView(tests: SampleAnswer['tests']): z.output<typeof testsSchema> {
  return tests.map((test) => ({ name: test.name, wrong: [...test.wrong] }))
}

function savedView(change: Extract<SchemaChange, { kind: 'done' }>): z.output<typeof savedSchema> {
  return { ...editedView(change), revision: change.revision, tests: testsView(change.tests) }
}

function refusedView(change: Exclude<SchemaChange, { kind: 'done' }>): z.output<typeof refusedSchema> {
  if (change.kind === 'conflict') throw new ApiError(409, 'conflict', change.message)
  if (change.kind === 'failing') {
    const detail = 'nothing was saved, because tests of the schema fail: see `tests`'
    return { ...problemOf(422, 'tests_failed', detail), tests: testsView(change.tests), problems: [] }
  }
  const detail = 'nothing was saved, because the content would be broken: see `problems`'
  return { ...problemOf(422, 'broken', detail), tests: [], problems: change.problems.map((one) => ({ ...one })) }
}
