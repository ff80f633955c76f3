import { Refused, RetryLater } from '../../util/errors.ts'
import type { SecretReference } from '../../util/secret.ts'
import type { DestinationDeps } from './destination.ts'
import { type Answer, codeOf, poster } from './post.ts'

/** Errors of the Web API that pass by themselves. */
const PASSING = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
])

/** A method of the Web API, called with a token's rights. */
export type SlackMethod = (
  name: string,
  body: object,
  options: { readonly id?: string; readonly signal: AbortSignal },
) => Promise<Answer>

/**
 * Calls methods of the Web API, which answers errors with 200 and `{ok: false, error}`. Throws `RetryLater` for errors that pass by
 * themselves and `Refused` for the others. Source: https://docs.slack.dev/apis/web-api/.
 */
export function slackApi(baseUrl: string, token: SecretReference, deps: DestinationDeps): SlackMethod {
  const post = poster(deps, { who: 'Slack', headers: { authorization: `Bearer ${deps.secret(token)}` } })
  return async (name, body, options) => {
    const answer = await post({ url: `${baseUrl}/${name}`, body, ...options })
    if (answer['ok'] === true) return answer
    const code = codeOf(answer)
    const message = `Slack did not accept ${name.startsWith('chat.') ? 'the message' : name}${code === undefined ? '' : ` (${code})`}`
    throw code !== undefined && PASSING.has(code) ? new RetryLater(message) : new Refused(message)
  }
}
