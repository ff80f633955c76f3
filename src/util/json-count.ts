/**
 * Whether JSON has more than `most` of one or two ASCII characters outside its strings. It reads each byte once and keeps nothing, so a
 * body can be refused before it is parsed, which costs a hundred times as much for one of millions of tiny values.
 */
export function hasMoreOf(bytes: Uint8Array, [one, other = one]: readonly [number, number?], most: number): boolean {
  let count = 0
  let isInString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (isInString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) isInString = false
    } else if (byte === 0x22) isInString = true
    else if ((byte === one || byte === other) && ++count > most) return true
  }
  return false
}
