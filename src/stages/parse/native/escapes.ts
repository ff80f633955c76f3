const SIMPLE: Readonly<Record<string, number>> = { '"': 0x22, '\\': 0x5c, b: 0x08, n: 0x0a, r: 0x0d, t: 0x09, v: 0x0b }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Undoes the escapes of web servers: `\xHH`, `\"`, `\\` and those of control characters. A value that would not be text, such as a
 * TLS handshake sent to a plain port, is returned as written.
 */
export function undoEscapes(text: string): string {
  const first = text.indexOf('\\')
  if (first < 0) return text
  const parts: string[] = []
  let from = 0
  for (let at = first; at >= 0; at = text.indexOf('\\', from)) {
    parts.push(text.slice(from, at))
    const bytes: number[] = []
    from = readRun(text, at, bytes)
    if (from === at) return text
    const decoded = decode(bytes)
    if (decoded === undefined) return text
    parts.push(decoded)
  }
  parts.push(text.slice(from))
  return parts.join('')
}

/** Reads the escapes that follow each other at `at`; returns the index after them. */
function readRun(text: string, start: number, bytes: number[]): number {
  let at = start
  while (text.charCodeAt(at) === 0x5c) {
    const c = text[at + 1] ?? ''
    const value = c === 'x' ? hexByte(text, at + 2) : SIMPLE[c]
    if (value === undefined) break
    bytes.push(value)
    at += c === 'x' ? 4 : 2
  }
  return at
}

function hexByte(text: string, at: number): number | undefined {
  const high = hexDigit(text.charCodeAt(at))
  const low = hexDigit(text.charCodeAt(at + 1))
  return high < 0 || low < 0 ? undefined : high * 16 + low
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const letter = c | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** The text of the bytes, or `undefined` if they are not UTF-8 or contain control characters other than white space. */
function decode(bytes: readonly number[]): string | undefined {
  if (bytes.some((byte) => byte < 0x20 && (byte < 0x08 || byte > 0x0d))) return undefined
  try {
    return utf8.decode(Uint8Array.from(bytes))
  } catch {
    return undefined
  }
}
