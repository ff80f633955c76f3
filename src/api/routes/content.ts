import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { ContentChange, Engine } from '../../engine/engine.ts'
import { actorName } from '../access/caller.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'

const problem = z.object({ file: z.string(), message: z.string() })

export const changeSchema = z.object({
  outcome: z
    .enum(['swapped', 'unchanged', 'broken'])
    .describe(
      '`swapped`: now in force. `unchanged`: already in force. `broken`: the previous content stays in force; see `problems`.',
    ),
  generation: z.string().describe('Hash of the content in force now; stored in events as `p_generation`.'),
  summary: z.string().describe('The changes in a few words.'),
  pause_ms: z.number().describe('How long no batch could begin, in milliseconds.'),
  problems: z.array(problem).describe('Why it is broken.'),
})

export const reloadedSchema = changeSchema.extend({
  pulls: z
    .array(
      z.object({
        name: z.string().describe('URL, ref and folder of the repository.'),
        commit: z.string().nullable().describe('The commit in force; null if none yet.'),
        problem: z.string().nullable().describe('Why it is not the commit that the ref points to.'),
      }),
    )
    .describe('The outcome of pulling the repositories that content comes from.'),
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/content',
  summary: 'The content in force.',
  responses: {
    200: {
      description: 'Counts of content by kind, and problems with it.',
      content: {
        'application/json': {
          schema: z.object({
            generation: z.string(),
            rules: z.number(),
            schemas: z.number(),
            tables: z.number(),
            problems: z.array(problem),
          }),
        },
      },
    },
  },
})

export const actorSchema = storable(200)
  .optional()
  .describe(
    "Who requests it, as free text; shown in the history of content. Only taken with the data folder's token: otherwise it is the caller.",
  )

const reload = createRoute({
  method: 'post',
  path: '/api/v1/content/reload',
  request: { query: z.strictObject({ by: actorSchema }) },
  summary:
    'Pulls content from git, rereads the content folders and applies changes without a restart. Broken content changes nothing.',
  responses: {
    200: { description: 'The outcome.', content: { 'application/json': { schema: reloadedSchema } } },
  },
})

export function contentRoutes(engine: Engine) {
  return createRouter()
    .openapi(show, (c) => {
      const { rules, schemas, tables, problems } = engine.content
      const counts = { rules: rules.length, schemas: schemas.length, tables }
      return c.json({ generation: engine.generation, ...counts, problems: [...problems] }, 200)
    })
    .openapi(reload, async (c) => {
      const { pulls, ...change } = await engine.reloadContent('reload', actorName(c.req.valid('query').by))
      const shown = pulls.map(({ name, commit, problem }) => ({ name, commit: commit ?? null, problem: problem ?? null }))
      return c.json({ ...changeView(change), pulls: shown }, 200)
    })
}

export function changeView({ outcome, generation, summary, pauseMs, problems }: ContentChange): z.output<typeof changeSchema> {
  return { outcome, generation, summary, pause_ms: Math.round(pauseMs), problems: [...problems] }
}
