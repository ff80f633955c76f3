import { FAILED, JsonScanner, MORE } from '../../../util/json-scanner.ts'
import type { TextDecoder } from './decoder.ts'
import { openingOf } from './envelopes.ts'
import { CLOSE_OBJECT, COMMA, OPEN_OBJECT, type TextWalk } from './text-walk.ts'

/** An object around a list of records. The elements themselves are found like those of an array. */
export const jsonEnvelope: TextDecoder = {
  kind: 'text',
  type: 'json-envelope',
  types: ['auto', 'json_array'],
  summary:
    'JSON objects around a list of records, as services deliver them: CloudTrail’s `Records`, Azure’s `records`, lists of Kubernetes, Google and Microsoft.',
  example: {
    body: '{"Records":[{"a":1},\n{"b":"]}"}]}\n{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"c":3}],"metadata":{}}\n',
    records: ['{"a":1}', '{"b":"]}"}', '{"c":3}'],
  },
  begins: (walk) => walk.state === 'tail' || (walk.bytes[walk.at] === OPEN_OBJECT && listAt(walk) !== undefined),
  step(walk) {
    if (walk.state === 'tail') return tail(walk)
    const list = listAt(walk)!
    return list === MORE ? walk.wait('value') : walk.enterEnvelope(list)
  },
}

/** Where the records of the envelope at `walk.at` begin; `MORE` if that is not known yet, `undefined` if it is no envelope. */
function listAt({ bytes, at, final, endState, stream, broken }: TextWalk): number | undefined {
  if (broken.has(at)) return undefined
  const list = openingOf(bytes, at, { path: stream.envelope, endsHere: final && endState !== 'lines' })
  return list === MORE && final ? undefined : list
}

/** Skips the members behind the list. */
function tail(walk: TextWalk): boolean {
  const { bytes, at } = walk
  const scanner = new JsonScanner()
  // Puts it into the objects around the list, behind a value.
  scanner.scan(Buffer.from(`${'{"":'.repeat(walk.stream.envelope?.length ?? 1)}""`))
  const end = bytes[at] === COMMA || bytes[at] === CLOSE_OBJECT ? scanner.scan(bytes, at) : FAILED
  if (end === MORE && !walk.final) return walk.wait('value')
  walk.state = 'lines'
  // Whatever is there instead is not part of the envelope.
  walk.begin(end < 0 ? at : end)
  return true
}
