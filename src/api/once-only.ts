import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'
import type { Engine } from '../engine/engine.ts'
import type { Caller } from '../model/account.ts'
import { type KeptAnswer, type KeyAsk, type KeyedCall, MAX_KEPT_CALLS } from '../model/answered-call.ts'
import { operationOf } from './access/guard.ts'
import { ApiError } from './errors.ts'
import { isKeyed, SECRET_ANSWERS } from './keyed-calls.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Set if the call was made before, and is only answered again. */
    isRepeated?: true
  }
}

/** Longer answers are not kept. */
const MAX_ANSWER_BYTES = 64 * 1024
const KEY = /^[!-~](?:[ -~]{0,253}[!-~])?$/
const KEPT_HEADERS = ['content-type', 'etag', 'location']

/** The header by which a caller marks a call, so that a repeated one changes nothing. */
export const idempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .max(255)
    .optional()
    .describe("The caller's own name for this call: if it is repeated within a day, it is only answered again."),
})

/**
 * Makes each call with an `Idempotency-Key` once: repeated within a day by the same caller, it is given the same answer. What has failed has
 * changed nothing, so that it is tried again.
 */
export function onceOnly({ desk }: Pick<Engine, 'desk'>): MiddlewareHandler {
  const ask = (key: KeyAsk) => desk({ do: 'key', key })
  const running = new Map<string, string>()
  return async (c, next) => {
    const key = c.req.header('idempotency-key')
    const operation = operationOf(c)
    const caller = c.get('caller')
    if (key === undefined || operation === undefined || !caller || !isKeyed(operation)) return next()
    if (!KEY.test(key)) {
      const message = 'the header Idempotency-Key needs 1 to 255 visible ASCII characters, such as a random UUID'
      throw new ApiError(400, 'bad_request', message)
    }
    const call = await callOf(c, caller, key)
    const id = `${call.owner} ${call.key}`
    const twin = running.get(id)
    if (twin !== undefined) throw twin === call.call ? inProgress() : reused()
    running.set(id, call.call)
    try {
      const before = await ask({ step: 'begin', call })
      if (before !== 'done') return refuseOrRepeat(c, before)
      await next()
      await keepAnswer(c, operation, call)
    } finally {
      running.delete(id)
    }
  }

  async function keepAnswer(c: Context, operation: string, call: KeyedCall): Promise<void> {
    const { status, headers } = c.res
    // Of a bug, nobody knows what it has changed: it is given the same answer, so that it is seen.
    if (status >= 400 && status !== 500) return void (await ask({ step: 'forget', call }))
    const body = SECRET_ANSWERS.has(operation) ? undefined : await textOf(c)
    const kept = Object.fromEntries(KEPT_HEADERS.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)!]] : [])))
    // The call is made: if its answer cannot be kept, repeating it says that nobody knows how it has ended.
    await ask({ step: 'keep', call, answer: { status, headers: kept, body } }).catch(() => {})
  }
}

/** The same person or program with the same rights, the key, and all of what is asked for. */
async function callOf(c: Context, { kind, name, role, logTypes, session, tokenId }: Caller, key: string): Promise<KeyedCall> {
  const owner = hash(kind, session?.userId ?? tokenId ?? name, role, JSON.stringify(logTypes ?? null))
  const { pathname, search } = new URL(c.req.url)
  return { owner, key: hash(owner, key), call: hash(owner, key, c.req.method, pathname, search, await c.req.text()) }
}

function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/** The answer's body; `undefined` if it is too long. */
async function textOf(c: Context): Promise<string | undefined> {
  if (!c.res.body) return ''
  const bytes = Buffer.from(await c.res.arrayBuffer())
  c.res = new Response(bytes, c.res)
  return bytes.byteLength > MAX_ANSWER_BYTES ? undefined : bytes.toString()
}

function refuseOrRepeat(c: Context, before: KeptAnswer | 'other' | 'unended' | 'too_many'): Response {
  if (before === 'other') throw reused()
  if (before === 'too_many') {
    const message = `you have used ${MAX_KEPT_CALLS} Idempotency-Keys within a day, as many as are kept: call without one, or try again later`
    throw new ApiError(429, 'busy', message, { 'retry-after': '3600' })
  }
  if (before === 'unended') {
    const message =
      'a call with this Idempotency-Key has begun before, and the server was stopped or its disk failed before it ended: look whether it was carried out, and use another key if not'
    throw new ApiError(409, 'outcome_unknown', message)
  }
  c.set('isRepeated', true)
  if (before.body === undefined) {
    const message =
      'the call with this Idempotency-Key was carried out before, and its answer is not kept: it has a secret, or is too long. If you did not receive it, undo that call and make another with a new key'
    throw new ApiError(409, 'answer_not_kept', message)
  }
  const { status, headers, body } = before
  return new Response(body === '' ? null : body, { status, headers: { ...headers, 'idempotency-replayed': 'true' } })
}

function inProgress(): ApiError {
  const message = 'a call with this Idempotency-Key has begun and has not ended yet: try again in a moment'
  return new ApiError(409, 'in_progress', message, { 'retry-after': '1' })
}

function reused(): ApiError {
  const message = 'this Idempotency-Key was used for another call within the last day: use a new one for each call'
  return new ApiError(422, 'key_reused', message)
}
