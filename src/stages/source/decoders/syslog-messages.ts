import type { HintsFrom } from '../../../model/chunk.ts'
import type { BodyDecoder } from './decoder.ts'

const SPACE = 0x20
/** Longer than any address, and than any length. */
const MAX_WORD = 64

/** One message with its sender's address, as this decoder reads it. */
export function syslogMessage(sender: string, message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} ${sender} `), message])
}

/** What the syslog source stores: each message behind its length and its sender's address. A message may have several lines. */
export const syslogMessages: BodyDecoder = {
  kind: 'body',
  type: 'syslog-messages',
  summary: 'Messages of syslog, each with its length and the address it came from.',
  example: { body: '8 192.0.2.1 <13>a: b10 192.0.2.2 <13>c\nd: e', records: ['<13>a: b', '<13>c\nd: e'] },
  decode(body) {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const records: number[] = []
    const hints: HintsFrom[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = wordAt(bytes, at)
      const sender = wordAt(bytes, at + length.length + 1)
      const from = at + length.length + sender.length + 2
      const end = from + Number(length)
      if (!/^\d{1,9}$/.test(length) || sender === '' || end > bytes.length) return { broken: `there is no message at byte ${at}` }
      records.push(from, end)
      hints.push({ from, hints: { fields: { sender_ip: sender } } })
      at = end
    }
    return { bytes: body, records: Uint32Array.from(records), count: records.length / 2, hints }
  },
}

/** The text from here to the next blank; empty without a blank. */
function wordAt(bytes: Buffer, from: number): string {
  const end = bytes.subarray(from, from + MAX_WORD).indexOf(SPACE)
  return end < 0 ? '' : bytes.toString('latin1', from, from + end)
}
