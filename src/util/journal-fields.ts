import { isUtf8 } from 'node:buffer'

/** Fields of systemd.journal-fields(7) that have one value, and names that only the journal itself can give. */
const SINGLE =
  /^(_(?!UDEV_).*|MESSAGE|MESSAGE_ID|PRIORITY|CODE_(FILE|LINE|FUNC)|ERRNO|SYSLOG_.*|UNIT|USER_UNIT|(USER|SESSION)_ID|CONTAINER_.*|IMAGE_NAME)$/

/** Whether a field has one value, so that of several the first one counts and all are under `REPEATED`. */
export function isSingleField(name: string): boolean {
  return SINGLE.test(name)
}

/** A field's bytes as text. Those that are not UTF-8 are written as `\xff`. */
export function journalText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at]!)
    const sequence = bytes.subarray(at, at + length)
    const isValid = length > 0 && sequence.length === length && isUtf8(sequence)
    text += isValid ? sequence.toString() : `\\x${bytes[at]!.toString(16).padStart(2, '0')}`
    at += isValid ? length : 1
  }
  return text
}

/** Bytes of the UTF-8 sequence that begins with this one; 0: none does. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1
  if (first < 0xc2) return 0
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
}
