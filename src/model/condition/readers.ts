import type { JsonObject, JsonValue } from '../json.ts'
import type { Field } from './condition.ts'
import { compileField, type Reader } from './path.ts'

/** Supplies compiled conditions with readers for their fields. */
export interface Readers {
  of(field: Field): Reader
}

/** Every condition reads its fields separately. */
export const separateReaders: Readers = { of: compileField }

/** Readers shared by many conditions, so that each field of an event is only looked up once. */
export interface SharedReaders extends Readers {
  /** Forgets cached values. Call before each event, even if it is the same object, which may have been changed. */
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

/** Cached once per turn for the event itself, but not within list elements or for paths with several values. */
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
