import type { Delivery } from './destination.ts'
import { webhookBody, webhookParts } from './webhook-body.ts'

/**
 * The body of a webhook with the delivery's id as its first member, `delivery`, so that receivers without headers can drop duplicates.
 * Longer than `maxBytes` in UTF-8, the event's details give way first, then the texts of the rule; `truncated` lists what is missing. It
 * never contains a control or format character as such, which terminals would act on and SQS refuses.
 */
export function deliveryLine({ id, kind, alert }: Delivery, maxBytes = Number.MAX_SAFE_INTEGER): string {
  const line = (rest: string) => printableJson(`{"delivery":${JSON.stringify(id)},${rest}`)
  const whole = line(webhookBody(alert, kind).slice(1))
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  const texts = { description: '', runbook: '', tags: [] }
  const cuts = [
    { missing: ['alertContext'], change: {} },
    { missing: ['alertContext', ...Object.keys(texts)], change: texts },
    { missing: ['alertContext', ...Object.keys(texts), 'dedup'], change: { ...texts, dedup: '', learned: undefined } },
  ]
  let shorter = ''
  for (const { missing, change } of cuts) {
    const { head, tail } = webhookParts({ ...alert, ...change }, kind)
    shorter = line(`"truncated":${JSON.stringify(missing)},${head.slice(1)}{}${tail}`)
    if (Buffer.byteLength(shorter) <= maxBytes) break
  }
  return shorter
}

/** Escapes all control and format characters in JSON text. JSON itself leaves most of them unescaped, and a terminal would act on them. */
export function printableJson(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\u2028\u2029\ufffe\uffff]/gu, (char) => {
    let text = ''
    for (let i = 0; i < char.length; i++) text += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`
    return text
  })
}
