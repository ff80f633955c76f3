import type { TextDecoder } from './decoder.ts'
import { SEPARATOR } from './text-walk.ts'

/** RFC 7464: a record separator before each text. A truncated text ends where the next one begins. */
export const jsonSequence: TextDecoder = {
  kind: 'text',
  type: 'json-sequence',
  types: ['auto', 'json', 'json_array'],
  summary: 'JSON text sequences (RFC 7464): a record separator before each value.',
  example: { body: '\x1e{"a":1}\n\x1e{"a":\x1e{\n"b":2}\n', records: ['{"a":1}', '{"a":', '{\n"b":2}'] },
  begins: (walk) => walk.bytes[walk.at] === SEPARATOR,
  step(walk) {
    walk.begin(walk.at + 1)
    walk.isSequence = true
    walk.isPlain = false
    return true
  },
}
