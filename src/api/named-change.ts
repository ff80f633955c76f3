import type { Context } from 'hono'
import { z } from 'zod'
import type { NamedChange } from '../engine/authoring/named-files.ts'
import { editedSchema, editedView } from './edited-view.ts'
import { ApiError } from './errors.ts'
import { PROBLEM_TYPE } from './problem.ts'
import { storable } from './storable.ts'
import { refusedSchema, refusedView } from './trial-view.ts'

/** A name for something new. As in Panther, without what terminals and files cannot show. */
export function newName(kinds: string) {
  return storable(200)
    .regex(/^(?! )[^<>&"%\p{Cc}]+(?<! )$/u, 'a name without <>&"% and control characters, and no blank at its ends')
    .describe(`Unique among all ${kinds} of the content.`)
}

export const revisionSchema = storable(64)
  .min(1)
  .describe('`source.revision` of what the change is based on; refused if it was changed since.')

const savedSchema = editedSchema.extend({
  name: z.string(),
  revision: z.string().describe("'' once it is deleted."),
  notes: z.array(z.string()),
})

/** Answers to changes of items that are found by their name. */
export const namedResponses = {
  200: { description: 'It is in force.', content: { 'application/json': { schema: savedSchema } } },
  422: { description: 'Nothing was written.', content: { [PROBLEM_TYPE]: { schema: refusedSchema } } },
}

export function namedAnswer(c: Context, name: string, change: NamedChange) {
  switch (change.kind) {
    case 'done': {
      const { revision, notes } = change
      return c.json({ ...editedView(change), name, revision, notes: [...notes] }, 200)
    }
    case 'conflict':
      throw new ApiError(409, 'conflict', change.message)
    case 'broken': {
      const detail = 'nothing was saved, because the content would be broken: see `problems`'
      const view = refusedView({ code: 'broken', detail }, { rules: [], problems: change.problems })
      return c.json(view, 422, { 'content-type': PROBLEM_TYPE })
    }
  }
}
