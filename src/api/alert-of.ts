import { z } from 'zod'
import type { Engine } from '../engine/engine.ts'
import type { StoredAlert } from '../model/alert.ts'
import { ApiError } from './errors.ts'

export const idParam = z.object({
  id: z.string().describe('The id of the alert, or a unique prefix of it (at least 4 digits).'),
})

/** The alert with this id or prefix. Throws an `ApiError` if there is no such alert. */
export async function alertOf({ read }: Pick<Engine, 'read'>, id: string): Promise<StoredAlert> {
  const alert = await read.alert(id)
  if (!alert) throw noAlert(id)
  return alert
}

export function noAlert(id: string): ApiError {
  return new ApiError(
    404,
    'not_found',
    `there is no alert '${id.slice(0, 80)}', or several ids begin with it; \`caracal alerts\` lists them`,
  )
}
