import { isObject, type JsonObject } from '../../../../model/json.ts'
import { messageOf } from '../../../../util/errors.ts'
import { parseJson } from '../../../../util/json.ts'
import { decode } from '../../content.ts'
import { TableError } from '../../table.ts'

const MAX_DEPTH = 32

/** The JSON object in a response body. Its text is not quoted: a service may repeat the key in it. */
export function objectOf(status: number, body: Uint8Array): JsonObject {
  const result = parseJson(textOf(status, body), { maxDepth: MAX_DEPTH })
  if (result.kind === 'failure' || !isObject(result.value)) throw unreadable(status, 'the body is not a JSON object')
  return result.value
}

export function unreadable(status: number, why: string): TableError {
  return new TableError(`the response (status ${status}) is not an answer of this service: ${why}`)
}

function textOf(status: number, body: Uint8Array): string {
  try {
    return decode(body)
  } catch (error) {
    throw unreadable(status, messageOf(error))
  }
}
