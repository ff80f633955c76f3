import { z } from 'zod'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'

const inlineValue: z.ZodType<JsonValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.null(), z.array(inlineValue), z.record(z.string(), inlineValue)]),
)

/** A row in a table's YAML. */
export const inlineRow = z.record(z.string().min(1), inlineValue)

/** Rows in a definition, as content. */
export function inlineBytes(rows: readonly JsonObject[]): Uint8Array {
  return Buffer.from(stringifyJson(rows))
}
