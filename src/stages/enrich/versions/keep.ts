import { z } from 'zod'

/** What is kept of a table's versions; the key `Keep` of its YAML. */
export const keepSchema = z.strictObject({
  Versions: z.int().min(1).max(5000).default(1000).describe('Maximum number of versions, including the one in force.'),
  MaxBytes: z
    .int()
    .min(1)
    .default(256 * 1024 * 1024)
    .describe('Maximum size of their compressed contents in bytes.'),
})

export type Keep = z.output<typeof keepSchema>
