import { z } from 'zod'
import { prefixStreamKeys, streamProblem } from '../stream-keys.ts'

const text = z.string().max(1024)

/** Config keys common to all sources that read objects. */
export const objectKeys = {
  prefixes: z
    .array(
      z.strictObject({
        prefix: text.describe('Beginning of the keys.'),
        log_types: z
          .array(z.string())
          .default([])
          .describe('Log types of the records in these objects. Default: those of the source.'),
        exclude: z.array(text.min(1)).default([]).describe('Beginnings of keys to leave out.'),
        ...prefixStreamKeys,
      }),
    )
    .min(1)
    .refine(
      (list) =>
        list.every(({ log_types: types }) => types.length > 0) || list.every(({ log_types: types }) => types.length === 0),
      'either every prefix names its `log_types` or none does',
    )
    .superRefine((list, context) => {
      for (const [i, one] of list.entries()) {
        const problem = streamProblem(one)
        if (problem) context.addIssue({ code: 'custom', path: [i, problem.key], message: problem.message })
      }
    })
    .default([{ prefix: '', log_types: [], exclude: [] }])
    .describe(
      'Which objects are read, by the beginning of their keys. An object under several belongs to the longest. Default: all.',
    ),
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Objects last modified before this time are left alone. Default: all objects are read.'),
  window_hours: z
    .int()
    .min(1)
    .max(24 * 30)
    .default(24)
    .describe(
      'How much earlier than the newest object one may have been modified and still be found. Objects are remembered for that long.',
    ),
  poll_ms: z.int().min(100).max(86_400_000).default(30_000).describe('How often the prefixes are listed, in milliseconds.'),
  max_object_bytes: z
    .int()
    .min(1024)
    .default(1024 * 1024 * 1024)
    .describe('Maximum size of an object in bytes, as it is stored. A larger one becomes a dead letter (`too_long`).'),
} as const

export type Prefix = z.output<typeof objectKeys.prefixes>[number]

/** The prefix that an object belongs to; `undefined` if it is under none, or excluded. */
export function prefixOf(key: string, prefixes: readonly Prefix[]): Prefix | undefined {
  let longest: Prefix | undefined
  for (const one of prefixes) if (key.startsWith(one.prefix) && one.prefix.length >= (longest?.prefix.length ?? 0)) longest = one
  return longest?.exclude.some((beginning) => key.startsWith(beginning)) ? undefined : longest
}

/** A source whose prefixes name log types has those too. */
export function withPrefixTypes<S extends { readonly log_types: string[] }>(source: S): S {
  const { prefixes } = source as { prefixes?: readonly Prefix[] }
  if (!prefixes) return source
  return { ...source, log_types: [...new Set([...source.log_types, ...prefixes.flatMap(({ log_types: types }) => types)])] }
}
