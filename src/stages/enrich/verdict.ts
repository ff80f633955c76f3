import { z } from 'zod'
import type { JsonObject } from '../../model/json.ts'

/** The column that says how bad a key is, so that a key that becomes worse can be recognised. */
export const verdictSchema = z.strictObject({
  Column: z.string().min(1).max(255).describe('The column with the verdict.'),
  Order: z
    .array(z.string())
    .min(2)
    .max(100)
    .optional()
    .describe('Its values, from harmless to bad. Without an order it is a number, and a higher one is worse.'),
})

export type Verdict = z.output<typeof verdictSchema>

/** How bad a row's verdict is: higher is worse, and no verdict or an unknown one is the least. */
export function rankOf({ Column, Order }: Verdict, row: JsonObject): number {
  const value = Object.hasOwn(row, Column) ? row[Column] : undefined
  if (Order) return Order.findIndex((one) => one.toLowerCase() === String(value).toLowerCase())
  const number = typeof value === 'boolean' ? Number(value) : typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && !Number.isNaN(number) ? number : Number.NEGATIVE_INFINITY
}
