import { z } from 'zod'
import type { TableChange } from '../engine/authoring/tables.ts'
import type { KeyChange } from '../stages/enrich/versions/diff.ts'
import { editedSchema, editedView } from './edited-view.ts'
import { problemOf, problemSchema } from './problem.ts'

const row = z.record(z.string(), z.unknown()).nullable()
const keyChange = z.object({ key: z.string(), before: row, after: row })

const aboutContent = {
  rows: z.int(),
  skipped: z.int().describe('Rows that cannot be used.'),
  skipped_because: z.array(z.string()).describe('Why, for the first few.'),
}

/** What a change to a table's content leads to. */
export const tableChangeSchema = z.object({
  written: editedSchema.nullable().describe('What was written; null: nothing, as `dry_run` demands.'),
  version: z.string().describe('The version that the content is, or would be.'),
  ...aboutContent,
  counts: z
    .object({ added: z.int(), removed: z.int(), changed: z.int(), worsened: z.int() })
    .describe('Keys that differ from the content before.'),
  added: z.array(keyChange).describe('The first 100 of them, as of `removed` and `changed`.'),
  removed: z.array(keyChange),
  changed: z.array(keyChange),
  passed_over: z.array(z.string()).describe('Checks of how much the table changes that the content does not pass.'),
})

/** Why a table was not changed. */
export const tableRefusedSchema = problemSchema.extend({
  content: z.object(aboutContent).nullable().describe('What the content is; null: it cannot be read as the table.'),
  problems: z.array(z.object({ file: z.string(), message: z.string() })).describe('Why files cannot be used.'),
})

type Done = Extract<TableChange, { kind: 'done' }>
type Content = Done['revised']

export function tableChangeView({ edited, revised }: Done) {
  const { added, removed, changed } = revised.diff.keys
  const listed = (changes: readonly KeyChange[]) => changes.map(({ key, before, after }) => ({ key, before, after }))
  return {
    written: edited ? editedView(edited) : null,
    version: revised.version,
    ...contentView(revised),
    counts: { ...revised.diff.counts },
    added: listed(added),
    removed: listed(removed),
    changed: listed(changed),
    passed_over: [...revised.unusual],
  }
}

export function tableRefusedView(
  change: Extract<TableChange, { kind: 'refused' | 'broken' }>,
): z.output<typeof tableRefusedSchema> {
  if (change.kind === 'broken') {
    const detail = 'nothing was written, because the content would be broken: see `problems`'
    return { ...problemOf(422, 'broken', detail), content: null, problems: change.problems.map((one) => ({ ...one })) }
  }
  const { message, revised } = change
  const problem = problemOf(422, 'refused', `nothing was written: ${message}`)
  return { ...problem, content: revised ? contentView(revised) : null, problems: [] }
}

function contentView({ rows, skipped, examples }: Content) {
  return { rows, skipped, skipped_because: [...examples] }
}
