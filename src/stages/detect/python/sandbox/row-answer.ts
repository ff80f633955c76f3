import type { JsonValue } from '../../../../model/json.ts'
import type { Looked } from '../../../../model/lookup.ts'
import { parseJson, stringifyJson } from '../../../../util/json.ts'

/** Reads tables for a child. `mark`: the call that asks. */
export type FindRow = (table: string, key: JsonValue, mark: number) => Looked

/** Questions of one request; a child that has more is broken, since each of its calls has far fewer. */
export const MAX_QUESTIONS = 500_000

/** A larger row would take longer to read than a call may. */
const MAX_ROW_BYTES = 1024 * 1024

/** `_caracal/lookups.py` sends shorter ones. */
const MAX_QUESTION_BYTES = 64 * 1024

/** No key is nested; this is for a message that says so. */
const MAX_DEPTH = 64

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The answer to a child's question, which is untrusted. */
export function answerOf(question: Uint8Array, mark: number, find: FindRow | undefined): Uint8Array {
  const asked = question.length <= MAX_QUESTION_BYTES ? readQuestion(decoder.decode(question)) : undefined
  if (!asked) return encoder.encode(JSON.stringify({ problem: 'the question cannot be read' } satisfies Looked))
  const { table, key } = asked
  const found: Looked = find?.(table, key, mark) ?? { problem: 'there are no tables here' }
  const answer = encoder.encode(stringifyJson({ ...found }))
  if (answer.length <= MAX_ROW_BYTES) return answer
  const problem = `the row of table '${table}' has ${answer.length} bytes, more than the ${MAX_ROW_BYTES} that a rule can read`
  return encoder.encode(JSON.stringify({ problem } satisfies Looked))
}

/** A question as text, as it is also in a row of an evaluation; `undefined` if it is none. */
export function readQuestion(text: string): { readonly table: string; readonly key: JsonValue } | undefined {
  const read = text.length <= MAX_QUESTION_BYTES ? parseJson(text, { maxDepth: MAX_DEPTH }) : undefined
  const value = read?.kind === 'ok' ? read.value : undefined
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string') return undefined
  return { table: value[0], key: value[1] as JsonValue }
}
