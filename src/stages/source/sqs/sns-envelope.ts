import { isObject } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'

const MAX_DEPTH = 8

/**
 * What was published, if the body is the envelope that SNS puts around it without raw delivery
 * (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html); otherwise the body itself.
 */
export function withoutSns(body: string): string {
  // Most bodies are not one, and need not be parsed to see that.
  if (!body.includes('"TopicArn"')) return body
  const parsed = parseJson(body, { maxDepth: MAX_DEPTH })
  if (parsed.kind !== 'ok' || !isObject(parsed.value)) return body
  const { Type: type, TopicArn: topic, Message: message } = parsed.value
  return type === 'Notification' && typeof topic === 'string' && typeof message === 'string' ? message : body
}
