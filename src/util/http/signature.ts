import { createHmac } from 'node:crypto'

/** Headers with which a receiver can verify sender and time of a body: `sha256=<hex of HMAC-SHA256 over timestamp + "." + body>`. */
export function signatureHeaders(body: string, key: string | undefined, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const hex = key === undefined ? undefined : createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')
  return { 'caracal-timestamp': timestamp, ...(hex !== undefined && { 'caracal-signature': `sha256=${hex}` }) }
}
