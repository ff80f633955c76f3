import { type ArchiveEntry, ArchiveError, MAX_ENTRIES } from './entry.ts'

const BLOCK = 512
/** Maximum length of a name that is stored as a separate entry. */
const MAX_NAME_BYTES = 4096

/** True if the bytes begin with a tar header. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= BLOCK && Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar' && isIntact(bytes, 0)
}

/** The regular files of a tar archive (ustar, with the long names of GNU and POSIX). Throws `ArchiveError`. */
export function tarEntries(bytes: Uint8Array): ArchiveEntry[] {
  const entries: ArchiveEntry[] = []
  let longName: string | undefined
  for (let at = 0, count = 0; ; count++) {
    if (at + BLOCK > bytes.length) throw new ArchiveError('is cut off: the end of the archive is missing')
    if (bytes[at] === 0 && bytes.subarray(at, at + BLOCK).every((byte) => byte === 0)) return entries
    if (!isIntact(bytes, at)) throw new ArchiveError(`is damaged: the header at byte ${at} has a wrong checksum`)
    if (count >= MAX_ENTRIES) throw new ArchiveError(`has more than ${MAX_ENTRIES} files`)
    const size = sizeOf(bytes, at)
    const start = at + BLOCK
    if (start + size > bytes.length) throw new ArchiveError('is cut off in the middle of a file')
    const content = bytes.subarray(start, start + size)
    const kind = String.fromCharCode(bytes[at + 156]!)
    if (kind === 'L' || kind === 'x') longName = longNameIn(content, kind) ?? longName
    else {
      const name = longName ?? nameOf(bytes, at)
      longName = undefined
      if (kind === '0' || kind === '\0') entries.push({ name, read: async (maxBytes) => limited(content, maxBytes) })
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK
  }
}

function limited(content: Uint8Array, maxBytes: number): Uint8Array {
  if (content.length > maxBytes) throw new ArchiveError(`is larger than ${maxBytes} bytes`, true)
  return content
}

/** The sum of the header's bytes, its own field counted as blanks. */
function isIntact(bytes: Uint8Array, at: number): boolean {
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : bytes[at + i]!
  return sum === Number.parseInt(textAt(bytes, at + 148, 8).trim(), 8)
}

function sizeOf(bytes: Uint8Array, at: number): number {
  const digits = textAt(bytes, at + 124, 12).trim()
  // Sizes from 8 GiB are written in binary, which no content of ours can have.
  if (!/^[0-7]{1,11}$/.test(digits)) throw new ArchiveError('is damaged: a file has no valid size')
  return Number.parseInt(digits, 8)
}

function nameOf(bytes: Uint8Array, at: number): string {
  const [name, prefix] = [textAt(bytes, at, 100), textAt(bytes, at + 345, 155)]
  return prefix === '' ? name : `${prefix}/${name}`
}

/** The name of the next entry: GNU's whole, POSIX's as the record `path` among `LENGTH KEY=VALUE` lines. */
function longNameIn(content: Uint8Array, kind: 'L' | 'x'): string | undefined {
  if (kind === 'L' && content.length > MAX_NAME_BYTES) throw new ArchiveError('has a file with a name that is too long')
  if (kind === 'L') return textAt(content, 0, content.length)
  return /(?:^|\n)\d{1,5} path=([^\n]{1,4096})\n/.exec(Buffer.from(content.subarray(0, 65_536)).toString())?.[1]
}

/** Text up to the first NUL. */
function textAt(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString()
}
