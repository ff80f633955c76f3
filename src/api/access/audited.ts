import type { Context, MiddlewareHandler } from 'hono'
import type { Engine } from '../../engine/engine.ts'
import type { JsonValue } from '../../model/json.ts'
import { addressOf } from './address.ts'
import { operationOf } from './guard.ts'
import { OPERATIONS } from './operations.ts'

const MAX_DETAIL_CHARS = 4000
const MAX_BODY_CHARS = 256 * 1024
const SECRET = /pass|secret|token|code|key/i

/** Records each call that changes something, and each that is refused because of its caller, before it is answered. */
export function audited({ audit, config }: Pick<Engine, 'audit' | 'config'>): MiddlewareHandler {
  return async (c, next) => {
    await next()
    const { status } = c.res
    const isRefused = status === 401 || status === 403
    const operation = operationOf(c)
    if (!isRefused && !isChange(c, operation)) return
    const caller = c.get('caller')
    const isDone = status < 400
    await audit({
      audit_event: isRefused ? 'refused' : 'change',
      caller: caller?.name,
      caller_kind: caller?.kind,
      caller_role: caller?.role,
      caller_address: addressOf(c, config.trusted_proxies) || undefined,
      operation,
      request_path: clip(c.req.path, 500),
      status,
      reason: isDone ? undefined : clip(c.error?.message ?? '', 500) || undefined,
      detail: isDone ? await detailOf(c) : undefined,
    })
  }
}

function isChange(c: Context, operation: string | undefined): boolean {
  if (operation === undefined || c.req.method === 'GET' || c.req.method === 'HEAD') return false
  return !OPERATIONS[operation]?.needs.endsWith(':read')
}

/** The body and parameters of a call that was accepted, without secrets. */
async function detailOf(c: Context): Promise<JsonValue | undefined> {
  const query = c.req.query()
  const text = await c.req.text().catch(() => '')
  // Whole content is sent to be tried out, for example.
  const isLong = text.length > MAX_BODY_CHARS
  const body: unknown = text === '' ? undefined : isLong ? `(${text.length} characters)` : JSON.parse(text)
  const detail = { ...(Object.keys(query).length > 0 && { query }), ...(body !== undefined && { body }) }
  if (Object.keys(detail).length === 0) return undefined
  const shown = JSON.stringify(detail, (key, value: unknown) => (SECRET.test(key) ? '(left out)' : value))
  return shown.length > MAX_DETAIL_CHARS ? { cut: clip(shown, MAX_DETAIL_CHARS) } : (JSON.parse(shown) as JsonValue)
}

function clip(text: string, most: number): string {
  return text.slice(0, most).toWellFormed()
}
