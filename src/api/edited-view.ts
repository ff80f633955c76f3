import { z } from 'zod'
import type { Edited } from '../engine/authoring/edit.ts'
import { callerName } from './access/caller.ts'
import { changeSchema, changeView } from './routes/content.ts'
import { storable } from './storable.ts'

/** Why content is changed, for the commit; one of our own words by default. */
export const messageShape = {
  message: storable(1000)
    .min(1)
    .optional()
    .describe('Message of the commit, if the content folder is part of a git repository. Default: what was changed.'),
}

/** What became of a change that was written. */
export const editedSchema = changeSchema.extend({
  files: z.array(z.string()).describe('The files that were written or deleted: content folder and path.'),
  commit: z
    .string()
    .nullable()
    .describe('The commit; null: the folder is not part of a git repository, git ignores the files, or see `commit_problem`.'),
  commit_problem: z.string().nullable().describe('Why nothing was committed although the files are in a git repository.'),
})

export function editedView({
  change,
  files,
  commit,
  commitProblem,
}: Extract<Edited, { kind: 'done' }>): z.output<typeof editedSchema> {
  return { ...changeView(change), files: [...files], commit: commit ?? null, commit_problem: commitProblem ?? null }
}

/** The author of a change by the current caller. */
export function authorOf(message: string | undefined, usual: string): { readonly actor: string; readonly message: string } {
  return { actor: callerName(), message: message ?? usual }
}
