import { createHmac } from 'node:crypto'

/** Headers by which a receiver checks who sent a body and when: `sha256=<hex of HMAC-SHA256 over timestamp + "." + body>`. */
export function signatureHeaders(body: string, key: string | undefined, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const hex = key === undefined ? undefined : createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')
  return { 'caracal-timestamp': timestamp, ...(hex !== undefined && { 'caracal-signature': `sha256=${hex}` }) }
}
