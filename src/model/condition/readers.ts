import type { JsonObject, JsonValue } from '../json.ts'
import type { Field } from './condition.ts'
import { compileField, type Reader } from './path.ts'

/** Where compiled conditions get the readers of their fields. */
export interface Readers {
  of(field: Field): Reader
}

/** Each condition reads for itself. */
export const separateReaders: Readers = { of: compileField }

/** Readers that many conditions share: a field of an event is looked for once, however many of them ask for it. */
export interface SharedReaders extends Readers {
  /** Forgets what was read. Before each event, also when it is the same object: it may have been changed in between. */
  nextEvent(): void
}

export function createSharedReaders(): SharedReaders {
  const known = new Map<string, Reader>()
  const turn = { number: 0 }
  return {
    of(field) {
      const key = JSON.stringify(field)
      let reader = known.get(key)
      if (!reader) {
        reader = remembering(compileField(field), turn)
        known.set(key, reader)
      }
      return reader
    },
    nextEvent() {
      turn.number++
    },
  }
}

/** Of the event itself it is asked once a turn; within an element of a list, and for paths of several values, each time. */
function remembering({ one, visit }: Reader, turn: { readonly number: number }): Reader {
  if (!one) return { one, visit }
  let readIn = -1
  let value: JsonValue | undefined
  const read = (scope: JsonValue, event: JsonObject): JsonValue | undefined => {
    if (scope !== event) return one(scope, event)
    if (readIn !== turn.number) {
      value = one(scope, event)
      readIn = turn.number
    }
    return value
  }
  return {
    one: read,
    visit: (scope, event, found) => {
      const it = read(scope, event)
      return it !== undefined && found(it)
    },
  }
}
