import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { CONTENT_CAUSES, type FileChange, MAX_GENERATIONS, type PastGeneration } from '../../model/content-history.ts'
import { unifiedDiff } from '../../util/diff.ts'
import { ConfigError } from '../../util/errors.ts'
import { actorName } from '../access/caller.ts'
import { ApiError, failures } from '../errors.ts'
import { cutPage, pageQuery, pageSchema, readCursor } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { actorSchema, changeSchema, changeView } from './content.ts'

/** Maximum number of characters of diffs in one response. */
const MAX_DIFF = 1024 * 1024

const fileSchema = z.object({
  root: z.string().describe('The content folder, as the configuration names it.'),
  path: z.string().describe('Path inside the content folder.'),
  change: z.enum(['added', 'changed', 'removed']),
  before: z.string().nullable().describe('SHA-256 of the file before; null if it did not exist.'),
  after: z.string().nullable().describe('SHA-256 of the file after; null if it no longer exists.'),
})

export const generationSchema = z.object({
  number: z.int().describe('Sequence number; the same content can be in force again under another number.'),
  generation: z.string().describe('Stored in events as `p_generation`.'),
  time: z.string(),
  cause: z.enum(CONTENT_CAUSES),
  by: z.string().nullable().describe('Who or what requested it.'),
  commits: z.record(z.string(), z.string()).describe('Content folders in git, and the commits that they were at.'),
  files: z.array(fileSchema).describe('The files that differ from the previous generation.'),
})

export const shownSchema = generationSchema.extend({
  files: z.array(
    fileSchema.extend({
      diff: z.string().nullable().describe('Unified diff; null if not available: texts of long and old files are not stored.'),
    }),
  ),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/content/history',
  summary: 'History of content, newest first, with the files that changed.',
  request: { query: z.strictObject(pageQuery(MAX_GENERATIONS, 20)) },
  responses: {
    200: {
      description: 'A page of generations.',
      content: { 'application/json': { schema: pageSchema(generationSchema) } },
    },
    ...failures(400),
  },
})

const name = storable(40).min(1)

const show = createRoute({
  method: 'get',
  path: '/api/v1/content/history/{generation}',
  summary: 'What one generation changed, with diffs of its files.',
  request: {
    params: z.object({ generation: name.describe('Its number, or its hash or a prefix of it.') }),
    query: z.strictObject({ file: z.string().max(1000).optional().describe('Only this file, by its path.') }),
  },
  responses: {
    200: { description: 'The generation.', content: { 'application/json': { schema: shownSchema } } },
    ...failures(404),
  },
})

const undo = createRoute({
  method: 'post',
  path: '/api/v1/content/undo',
  summary:
    'Restores the files of a generation as they were before it, and reloads. Refused if one of them has changed since. If the content would be broken, the files are left unchanged.',
  request: {
    body: {
      content: {
        'application/json': {
          schema: z.strictObject({ generation: name.optional().describe('Default: the last one.'), by: actorSchema }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'The outcome.',
      content: {
        'application/json': { schema: changeSchema.extend({ undone: z.int().describe('The number of the generation.') }) },
      },
    },
    ...failures(400, 404),
  },
})

export function contentHistoryRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor } = c.req.valid('query')
      const [before] = cursor === undefined ? [] : readCursor(cursor, z.tuple([z.int()]))
      const { results, next } = cutPage(await engine.read.generations(limit + 1, before), limit, (one) => [one.number])
      return c.json({ results: results.map((one) => ({ ...viewOf(one), files: one.files.map(fileView) })), next }, 200)
    })
    .openapi(show, async (c) => {
      const { generation } = c.req.valid('param')
      const { file } = c.req.valid('query')
      const past = await engine.read.generation(generation)
      if (!past) throw new ApiError(404, 'not_found', `there is no generation '${generation}', or it is no longer stored`)
      const files = past.files.filter(({ path }) => file === undefined || path === file)
      if (file !== undefined && files.length === 0)
        throw new ApiError(404, 'not_found', `generation ${past.number} did not change the file '${file}'`)
      return c.json({ ...viewOf(past), files: await withDiffs(files, engine) }, 200)
    })
    .openapi(undo, async (c) => {
      const { generation, by } = c.req.valid('json')
      try {
        const { number, ...change } = await engine.undoContent(generation, actorName(by) ?? '')
        return c.json({ ...changeView(change), undone: number }, 200)
      } catch (error) {
        if (error instanceof ConfigError) throw new ApiError(404, 'not_found', error.message)
        throw error
      }
    })
}

function viewOf({ number, generation, createdMs, cause, actor, commits }: PastGeneration) {
  return { number, generation, time: new Date(createdMs).toISOString(), cause, by: actor === '' ? null : actor, commits }
}

function fileView({ root, path, before, after }: FileChange): z.output<typeof fileSchema> {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
  return { root, path, change, before: before ?? null, after: after ?? null }
}

async function withDiffs(files: readonly FileChange[], { read }: Engine): Promise<z.output<typeof shownSchema>['files']> {
  const shown: z.output<typeof shownSchema>['files'] = []
  let left = MAX_DIFF
  for (const file of files) {
    const diff = left > 0 ? await diffOf(file, read) : undefined
    left -= diff?.length ?? 0
    shown.push({ ...fileView(file), diff: diff === undefined || left < 0 ? null : diff })
  }
  return shown
}

async function diffOf({ before, after }: FileChange, read: Engine['read']): Promise<string | undefined> {
  const texts = await read.contentTexts([before, after].filter((hash) => hash !== undefined))
  const textOf = (hash: string | undefined) => (hash === undefined ? '' : decoded(texts.get(hash)))
  const [old, fresh] = [textOf(before), textOf(after)]
  return old === undefined || fresh === undefined ? undefined : unifiedDiff(old, fresh)
}

function decoded(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes)
}
