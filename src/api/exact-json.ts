import type { TypedResponse } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import type { JSONParsed } from 'hono/utils/types'

/** JSON text that is included in a response verbatim, since parsing and rewriting it would lose digits of long numbers. */
export class ExactJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An object as JSON text, with its `ExactJson` members verbatim. */
export function exactObject(members: Readonly<Record<string, unknown>>): string {
  const texts = Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${JSON.stringify(key)}:${value instanceof ExactJson ? value.text : JSON.stringify(value)}`)
  return `{${texts.join(',')}}`
}

/** A response whose JSON text already exists, typed for a typed client. */
export type ExactAnswer<T, S extends StatusCode> = Response & TypedResponse<JSONParsed<T>, S, 'json'>

export function exactAnswer<T, S extends StatusCode>(
  body: string | ReadableStream<Uint8Array>,
  status: S,
  headers: Readonly<Record<string, string>> = {},
): ExactAnswer<T, S> {
  const answer = new Response(body, { status, headers: { ...headers, 'content-type': 'application/json' } })
  return answer as ExactAnswer<T, S>
}
