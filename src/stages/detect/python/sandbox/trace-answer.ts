import { z } from 'zod'

/** Python's limits count code points, each of which may be two UTF-16 units. */
const text = z.string().max(2 * 400)
const file = z.string().max(32 * 1024)
const line = z.int().min(0)

const step = z.strictObject({
  kind: z.enum(['test', 'loop', 'return']),
  file,
  line,
  function: text,
  text,
  outcome: text,
  values: z.array(z.tuple([text, text])).max(12),
})

const trace = z.strictObject({
  steps: z.array(step).max(40),
  decided: z.array(step).max(9),
  reads: z.array(z.strictObject({ file, line, text, value: text })).max(60),
})

/** Why a trace that a child sent is malformed, after the word for it; `undefined` if it is not. The limits are those of `tracing.py`. */
export function traceFault(value: unknown): string | undefined {
  const { error } = trace.safeParse(value)
  const issue = error?.issues[0]
  return issue && `${issue.path.map((part) => `.${String(part)}`).join('')} is malformed: ${issue.message}`
}
