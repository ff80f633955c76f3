import { z } from 'zod'

/** What a failed call answers: problem details (RFC 9457), with our code as an extension. */
export const problemSchema = z.object({
  type: z.string().describe('`urn:caracal:error:` and the code.'),
  title: z.string().describe('The code in words.'),
  status: z.int().describe('The status of the response.'),
  detail: z.string().describe('What failed and what to do about it.'),
  code: z.string().describe('A stable code for programs; docs/errors.md lists them.'),
})

export type Problem = z.output<typeof problemSchema>

export const PROBLEM_TYPE = 'application/problem+json'

/** `not_found` → `Not found`. It is the same for every failure with this code, as RFC 9457 asks. */
export function problemOf(status: number, code: string, detail: string): Problem {
  const words = code.replaceAll('_', ' ')
  return { type: `urn:caracal:error:${code}`, title: words[0]!.toUpperCase() + words.slice(1), status, detail, code }
}

/** The response of a failed call. */
export function problemResponse(
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = JSON.stringify(problemOf(status, code, detail))
  return new Response(body, { status, headers: { ...headers, 'content-type': PROBLEM_TYPE } })
}
