import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { TableChange } from '../../engine/authoring/tables.ts'
import type { Engine } from '../../engine/engine.ts'
import type { JsonObject } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'
import { authorOf, messageShape } from '../edited-view.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { PROBLEM_TYPE } from '../problem.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { tableChangeSchema, tableChangeView, tableRefusedSchema, tableRefusedView } from '../table-change-view.ts'
import { known } from './rule-detail.ts'

const MAX_CHARS = 16 * 1024 * 1024
const MAX_ROWS = 1000

const name = z.object({ name: z.string().min(1).max(200) })

const contentShape = {
  content: z
    .string()
    .min(1)
    .max(MAX_CHARS)
    .optional()
    .describe('The rows as text: CSV with a header line, or a JSON object per line.'),
  content_base64: z
    .base64()
    .min(1)
    .max(MAX_CHARS)
    .optional()
    .describe('The same as bytes, which may be compressed with gzip or zstd, or in a zip archive. One of the two is required.'),
}

const saveShape = {
  dry_run: z.boolean().default(false).describe('Write nothing, and answer what would change.'),
  accept: z.boolean().default(false).describe('Accept content that changes the table by more than its checks allow.'),
  ...messageShape,
}

const isOne = ({ content, content_base64: bytes }: { content?: string | undefined; content_base64?: string | undefined }) =>
  (content === undefined) !== (bytes === undefined)
const ONE = 'exactly one of `content` and `content_base64` is required'

const uploadSchema = z.strictObject({ ...contentShape, ...saveShape }).refine(isOne, ONE)

const cell = z.union([
  z.string().max(100_000),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.unknown()),
  z.record(z.string(), z.unknown()),
])

const editSchema = z
  .strictObject({
    set: z
      .array(z.record(storable(500).min(1), cell))
      .max(MAX_ROWS)
      .default([])
      .describe('Rows to write, each by column: in the place of the row with its key, or added.'),
    remove: z
      .array(z.union([storable(10_000), z.array(storable(10_000)).min(1).max(8)]))
      .max(MAX_ROWS)
      .default([])
      .describe('Keys of rows to remove; a list of its parts for a composite key.'),
    ...saveShape,
  })
  .refine(({ set, remove }) => set.length + remove.length > 0, 'nothing to change: name rows in `set` or keys in `remove`')

const selector = z.union([storable(500).min(1), z.array(storable(500).min(1)).min(2).max(8)])

const createSchema = z
  .strictObject({
    name: storable(200).min(1).describe('The table, under which rows appear in `p_enrichment`.'),
    description: storable(2000).optional(),
    ...contentShape,
    primary_key: z
      .array(storable(500).min(1))
      .min(1)
      .max(8)
      .optional()
      .describe('Columns of the key. Default: the first column.'),
    match: z
      .union([storable(50).min(1), z.array(storable(50).min(1)).min(2).max(8)])
      .optional()
      .describe('How keys are compared: `exact`, `ignore_case`, `ip`, `cidr`, `port`, `domain`, `glob`. Default: by the keys.'),
    indicators: z.record(storable(500).min(1), storable(50).min(1)).optional().describe('What columns contain: `{"ip": "ip"}`.'),
    log_types: z
      .array(z.strictObject({ log_type: storable(255).min(1), selectors: z.array(selector).max(1000).default([]) }))
      .max(100)
      .default([])
      .describe('Which events get rows, and which of their fields have the key.'),
    dry_run: saveShape.dry_run,
    ...messageShape,
  })
  .refine(isOne, ONE)

const answers = {
  200: {
    description: 'What was written, or would be.',
    content: { 'application/json': { schema: tableChangeSchema } },
  },
  422: { description: 'Nothing was written.', content: { [PROBLEM_TYPE]: { schema: tableRefusedSchema } } },
}
const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { 'application/json': { schema } } }) as const

const upload = createRoute({
  method: 'put',
  path: '/api/v1/tables/{name}/content',
  summary: 'Uploads a version of a table whose rows are in a file of the content, and puts it in force.',
  request: { params: name, body: body(uploadSchema) },
  responses: { ...answers, ...failures(400, 404, 409, 503) },
})

const edit = createRoute({
  method: 'patch',
  path: '/api/v1/tables/{name}/content',
  summary: 'Writes and removes single rows of such a table, by their keys.',
  request: { params: name, body: body(editSchema) },
  responses: { ...answers, ...failures(400, 404, 409, 503) },
})

const create = createRoute({
  method: 'post',
  path: '/api/v1/tables',
  summary: 'Writes a new table, with its rows in a file of the content, and puts it in force.',
  request: { body: body(createSchema) },
  responses: { ...answers, ...failures(400, 409, 503) },
})

/** Changes to tables: the same files that people edit, checked, written and put in force. */
export function tableEditRoutes(engine: Engine) {
  return createRouter()
    .openapi(upload, async (c) => {
      const { name: table } = c.req.valid('param')
      const { message, dry_run: isDry, accept, ...content } = c.req.valid('json')
      const save = { isDry, accept, ...authorOf(message, `Upload a version of the table ${table}`) }
      return answer(c, await known(() => engine.authoring.tables.upload(table, bytesOf(content), save)))
    })
    .openapi(edit, async (c) => {
      const { name: table } = c.req.valid('param')
      const { message, dry_run: isDry, accept, set, remove } = c.req.valid('json')
      const save = { isDry, accept, ...authorOf(message, `Change rows of the table ${table}`) }
      const edits = { set: set as JsonObject[], remove: remove.map((key) => [key].flat()) }
      return answer(c, await known(() => engine.authoring.tables.edit(table, edits, save)))
    })
    .openapi(create, async (c) => {
      const {
        name: table,
        description,
        primary_key,
        match,
        indicators,
        log_types,
        message,
        dry_run: isDry,
        ...content
      } = c.req.valid('json')
      const associations = log_types.map(({ log_type: logType, selectors }) => ({ logType, selectors }))
      const made = { name: table, description, primaryKey: primary_key, match, indicators, associations }
      const save = { isDry, ...authorOf(message, `Add the table ${table}`) }
      return answer(c, await engine.authoring.tables.create(made, bytesOf(content), save))
    })
}

function bytesOf({
  content,
  content_base64: bytes,
}: {
  content?: string | undefined
  content_base64?: string | undefined
}): Buffer {
  return content === undefined ? Buffer.from(bytes!, 'base64') : Buffer.from(content)
}

function answer(c: Context, change: TableChange) {
  switch (change.kind) {
    case 'done':
      return exactAnswer<z.output<typeof tableChangeSchema>, 200>(stringifyJson(tableChangeView(change)), 200)
    case 'conflict':
      throw new ApiError(409, 'conflict', change.message)
    case 'broken':
    case 'refused':
      return c.json(tableRefusedView(change), 422, { 'content-type': PROBLEM_TYPE })
  }
}
