import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Diffs, RuleVersion } from '../../engine/authoring/rule-versions.ts'
import type { Engine } from '../../engine/engine.ts'
import { CONTENT_CAUSES } from '../../model/content-history.ts'
import { unifiedDiff } from '../../util/diff.ts'
import { authorOf, messageShape } from '../edited-view.ts'
import { failures } from '../errors.ts'
import { pageOf, pageQuery, pageSchema } from '../paging.ts'
import { createRouter } from '../router.ts'
import { storable } from '../storable.ts'
import { known, ruleOf, ruleParam } from './rule-detail.ts'
import { allowFailing, answerChange, body, refused, revision, saved } from './rule-edits.ts'

const fileSchema = z.object({
  path: z.string().describe('Path inside the content folder.'),
  change: z.enum(['added', 'changed', 'removed']),
})

export const versionSchema = z.object({
  number: z.int().describe('Sequence number of the content that it came with: see the history of content.'),
  generation: z.string().describe('The hash of that content; events carry it as `p_generation`.'),
  time: z.string().describe('When it came into force.'),
  cause: z.enum(CONTENT_CAUSES),
  by: z.string().nullable().describe('Who or what requested it; null: unknown.'),
  commit: z.string().nullable().describe('The commit that the content folder was at, if it is in git.'),
  is_current: z.boolean().describe('The rule is like this now.'),
  is_stored: z.boolean().describe('false: its texts are too long or too old to be stored.'),
  files: z.array(fileSchema).describe('The files that it changed.'),
  keys: z.array(z.string()).describe('Keys of the YAML file whose values it changed.'),
})

export const shownVersionSchema = versionSchema.extend({
  yaml: z.string().nullable().describe('null: not stored.'),
  code_path: z.string().nullable(),
  code: z.string().nullable().describe('null: the version had no code file, or it is not stored.'),
  files: z
    .array(fileSchema.extend({ diff: z.string().nullable().describe('Unified diff; null: a text is not stored.') }))
    .describe('The files that it changed, and how.'),
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/rules/{id}/versions',
  summary: 'The latest versions of a rule, newest first: when its files changed, by whom, and what.',
  request: { params: ruleParam, query: z.strictObject(pageQuery(200, 20)) },
  responses: {
    200: { description: 'A page of versions.', content: { 'application/json': { schema: pageSchema(versionSchema) } } },
    ...failures(400, 404),
  },
})

const versionParams = ruleParam.extend({
  number: storable(20).min(1).describe('Number of the version.'),
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/rules/{id}/versions/{number}',
  summary: 'A rule as it was in one version, with the diff from the version before.',
  request: { params: versionParams },
  responses: {
    200: { description: 'The version.', content: { 'application/json': { schema: shownVersionSchema } } },
    ...failures(400, 404),
  },
})

const restore = createRoute({
  method: 'post',
  path: '/api/v1/rules/{id}/versions/{number}/restore',
  summary: 'Saves a rule as it was in a version and puts it in force. Its unit tests run first, and must pass.',
  request: {
    params: versionParams,
    body: body(z.strictObject({ revision, allow_failing: allowFailing, ...messageShape })),
  },
  responses: { ...saved, ...refused, ...failures(400, 404, 409, 503) },
})

/** What a rule was before, and back to it. */
export function ruleVersionRoutes(engine: Engine) {
  return createRouter()
    .openapi(list, async (c) => {
      const { id } = ruleOf(engine, c.req.valid('param').id)
      const versions = await known(() => engine.authoring.versions.list(id))
      const { results, next } = pageOf(versions, c.req.valid('query'), ({ number }) => String(number))
      return c.json({ results: results.map(viewOf), next }, 200)
    })
    .openapi(show, async (c) => {
      const { id, number } = c.req.valid('param')
      ruleOf(engine, id)
      const { version, diffs } = await known(() => engine.authoring.versions.get(id, number))
      return c.json({ ...viewOf(version), ...textView(version), files: diffs.map(diffView) }, 200)
    })
    .openapi(restore, async (c) => {
      const { id, number } = c.req.valid('param')
      ruleOf(engine, id)
      const { revision: based, allow_failing, message } = c.req.valid('json')
      const author = authorOf(message, `Restore the rule ${id} as it was in ${number}`)
      const ask = { ruleId: id, number, revision: based, allowFailing: allow_failing, ...author }
      return answerChange(c, await known(() => engine.authoring.versions.restore(ask)))
    })
}

function viewOf(version: RuleVersion): z.output<typeof versionSchema> {
  const { number, generation, createdMs, cause, actor, commit, isCurrent, text, files, keys } = version
  return {
    number,
    generation,
    time: new Date(createdMs).toISOString(),
    cause,
    by: actor === '' ? null : actor,
    commit: commit ?? null,
    is_current: isCurrent,
    is_stored: text !== undefined,
    files: files.map(fileView),
    keys: [...keys],
  }
}

function textView({ text }: RuleVersion) {
  return { yaml: text?.yaml ?? null, code_path: text?.code?.path ?? null, code: text?.code?.text ?? null }
}

function fileView({ path, before, after }: RuleVersion['files'][number]): z.output<typeof fileSchema> {
  return { path, change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed' }
}

function diffView({ file, before, after }: Diffs[number]) {
  return { ...fileView(file), diff: before === undefined || after === undefined ? null : unifiedDiff(before, after) }
}
