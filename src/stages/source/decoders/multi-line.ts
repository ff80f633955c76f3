import type { TextDecoder } from './decoder.ts'
import type { TextWalk } from './text-walk.ts'

/** Bytes of a line that are compared with the pattern. */
const MAX_COMPARED = 4096

/** Lines up to the next one that begins a record, such as a log line with its stack trace. */
export const multiLine: TextDecoder = {
  kind: 'text',
  type: 'multi-line',
  summary: 'Records of several lines: each begins with a line that fits the source’s pattern.',
  types: ['lines'],
  example: {
    stream: String.raw`type=lines&start=^\S&lines=500&bytes=65536`,
    body: 'java.lang.Error: x\n  at a.b(C.java:1)\n\n  at d\nsecond\n  more\nthird\n',
    records: ['java.lang.Error: x\n  at a.b(C.java:1)\n\n  at d', 'second\n  more', 'third'],
  },
  begins: ({ stream }) => stream.start !== undefined,
  step(walk) {
    const { start, stream } = walk
    let end = walk.newlines.from(walk.at)
    for (let lines = 1; end >= 0 && lines < stream.maxLines && end - start < stream.maxBytes; lines++) {
      const line = end + 1
      const next = walk.newlines.from(line)
      // Only the whole next line shows whether it belongs to this record.
      if (next < 0 && !walk.final) return walk.wait('line')
      if (line === walk.bytes.length || beginsRecord(walk, line, next)) break
      end = next
    }
    if (end < 0 && !walk.final) return walk.wait('line')
    walk.isPlain = false
    const { length } = walk.bytes
    return walk.emit(start, end < 0 ? length : end, end < 0 ? length : end + 1)
  },
}

function beginsRecord({ bytes, stream }: TextWalk, from: number, newline: number): boolean {
  const to = Math.min(newline < 0 ? bytes.length : newline, from + MAX_COMPARED)
  return stream.start!.matcher(bytes.toString('utf8', from, to)).find()
}
