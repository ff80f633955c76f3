import { z } from 'zod'
import { awsKeys, Credentials, DEFAULT_AUTH } from '../../util/aws/credentials.ts'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import { signed } from '../../util/http/aws-signature.ts'
import { requestedWaitMs } from '../../util/http/retry-after.ts'
import { type HttpAnswer, HttpError, shownUrl } from '../../util/http/send.ts'
import { targetUrl } from '../../util/http/target-url.ts'
import type { Delivery, DestinationDeps } from './destination.ts'

/** Config keys common to destinations of AWS and compatible services. */
export const awsBase = {
  ...awsKeys,
  endpoint: targetUrl.optional().describe('URL of a compatible service. Default: AWS.'),
} as const

const awsConfig = z.object(awsBase)
type AwsConfig = z.output<typeof awsConfig>

export interface AwsCall {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}

/** Largest body that both services take as a message, with room for attributes. */
export const MAX_MESSAGE_BYTES = 240 * 1024
const TIMEOUT_MS = 15_000
const MAX_ANSWER_BYTES = 64 * 1024
/** Codes of errors that pass, whatever their status. */
const PASSING =
  /^(?:Throttl|RequestThrottled|OverLimit|ServiceUnavailable|InternalError|InternalFailure|RequestExpired|KmsThrottled)/

/**
 * Sends signed requests to a service of AWS. Throws `RetryLater` and `Refused` as `poster` does, and `RetryLater` for throttling. Resolves
 * credentials at once, so that a missing secret is found before the first alert.
 */
export function awsCaller(service: 'sns' | 'sqs', region: string, config: AwsConfig, deps: DestinationDeps) {
  const { auth, role_arn: arn, external_id: externalId, endpoint } = config
  const credentials = new Credentials(auth, arn === undefined ? undefined : { arn, externalId, region, endpoint }, deps)
  for (const reference of Object.values(auth ?? DEFAULT_AUTH)) if (typeof reference === 'object') deps.secret(reference)
  return async ({ url, headers, body, signal }: AwsCall): Promise<void> => {
    const place = `${service.toUpperCase()} at ${shownUrl(url)}`
    let answer: HttpAnswer
    try {
      const own = await credentials.get(signal)
      const all = signed({ method: 'POST', url, headers, region, service, body, nowMs: deps.now() }, own)
      answer = await deps.send({
        url,
        method: 'POST',
        headers: all,
        body,
        signal,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_ANSWER_BYTES,
      })
    } catch (error) {
      if (error instanceof Refused || error instanceof RetryLater) throw error
      const why = error instanceof HttpError || signal.aborted ? messageOf(error) : 'an unexpected error'
      throw new RetryLater(`${place} cannot be reached: ${why}`, undefined, { cause: error })
    }
    const { status } = answer
    if (status >= 200 && status < 300) return
    const code = codeIn(Buffer.from(answer.body).toString())
    const message = `${place} answered ${status}${code === undefined ? '' : ` (${code})`}`
    if (status === 408 || status === 429 || status >= 500 || PASSING.test(code ?? ''))
      throw new RetryLater(message, requestedWaitMs(status, answer.headers.get('retry-after'), deps.now()))
    throw new Refused(`${message}: check its address, region, keys and permissions`)
  }
}

/** The name of an error in an answer, JSON or XML. Nothing else of it is quoted. */
function codeIn(text: string): string | undefined {
  const found = /"__type"\s*:\s*"(?:[\w.]{1,80}#)?([A-Za-z]{3,60})"/.exec(text) ?? /<Code>([A-Za-z]{3,60})<\/Code>/.exec(text)
  return found?.[1]
}

/** What subscribers and consumers can filter messages by. */
export function attributesOf({ id, kind, alert }: Delivery): Readonly<Record<string, string>> {
  return { delivery: id, kind, severity: alert.severity, type: alert.type, rule_id: alert.ruleId.slice(0, 200) || '-' }
}
