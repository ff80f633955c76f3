import type { Context } from 'hono'
import { RetryLater } from '../../util/errors.ts'
import { ApiError } from '../errors.ts'

/** Where people go who did not want to go anywhere else. */
export const HOME = '/'

/** The fields of a form that was sent, as texts. Files are not accepted. */
export async function formOf(c: Context): Promise<(name: string) => string> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(c.req.header('content-type') ?? ''))
    throw new ApiError(415, 'unsupported_media_type', 'this address only accepts the forms of its own page')
  const fields = new URLSearchParams(await c.req.text())
  return (name) => fields.get(name) ?? ''
}

/**
 * A path of this server that somebody wanted to see before they had to sign in, without detours such as `..`, also those that are spelled
 * `%2e%2e`; `HOME` if it is anything else. A proxy may offer other programs next to this one, so no path may leave the folder of this one.
 */
export function nextOf(text: string | undefined): string {
  if (text === undefined || !/^\/[\w.~%!$&'()*+,;=:@/?-]*$/.test(text)) return HOME
  const [, ...segments] = text.replace(/\?.*$/, '').split('/')
  const isDetour = segments.some((one, at) => /^(?:\.|%2e){1,2}$/i.test(one) || (one === '' && at < segments.length - 1))
  return isDetour ? HOME : text
}

/** Sends the browser to a path of this server. Relative to the page: a proxy may offer this server below a path. */
export function goTo(c: Context, path: string) {
  return c.redirect(`.${path}`, 303)
}

/** What went wrong, for the page; other errors are thrown. */
export function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof RetryLater) return new ApiError(503, error.code, `${error.message}: try again in a moment`)
  throw error
}
