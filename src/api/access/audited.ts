import type { Context, MiddlewareHandler } from 'hono'
import type { Engine } from '../../engine/engine.ts'
import type { JsonValue } from '../../model/json.ts'
import { isDeeper } from '../../util/json-spans.ts'
import { addressOf } from './address.ts'
import { operationOf } from './guard.ts'
import { OPERATIONS } from './operations.ts'

/** Its body has the value that must not be stored; the engine records the deletion with a hash of it. */
const DELETES = 'POST /api/v1/deletions'
const MAX_DETAIL_CHARS = 4000
const MAX_BODY_CHARS = 256 * 1024
const MAX_DEPTH = 16
const TOKEN = /caracal_[\w-]{20,}/g
const SECRET = /pass|secret|token|code|key/i

/** Records each call that changes something, and each that is refused because of its caller, before it is answered. */
export function audited({ audit, config }: Pick<Engine, 'audit' | 'config'>): MiddlewareHandler {
  return async (c, next) => {
    await next()
    const { status } = c.res
    const as = c.get('auditAs')
    // Others that answer 429 are busy, which is no matter of who calls.
    const isRefused = status === 401 || status === 403 || (status === 429 && as !== undefined)
    const operation = operationOf(c)
    if (!isRefused && (c.get('isRepeated') || !isChange(c, operation))) return
    const caller = c.get('caller')
    const isDone = status < 400
    await audit({
      audit_event: isRefused ? 'refused' : (as?.event ?? 'change'),
      caller: caller?.name,
      caller_kind: caller?.kind,
      caller_role: caller?.role,
      caller_address: addressOf(c, config.trusted_proxies) || undefined,
      operation,
      request_path: clip(c.req.path, 500),
      status,
      reason: isDone ? undefined : clip(as?.reason ?? c.error?.message ?? '', 500) || undefined,
      detail: as?.detail ?? (isDone && operation !== DELETES ? await detailOf(c) : undefined),
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
  const body = bodyOf(await c.req.text().catch(() => ''))
  const detail = { ...(Object.keys(query).length > 0 && { query }), ...(body !== undefined && { body }) }
  if (Object.keys(detail).length === 0) return undefined
  const shown = JSON.stringify(detail, (key, value: unknown) => (SECRET.test(key) ? '(left out)' : value))
  const clean = shown.replaceAll(TOKEN, '(token)')
  return clean.length > MAX_DETAIL_CHARS ? { cut: clip(clean, MAX_DETAIL_CHARS) } : (JSON.parse(clean) as JsonValue)
}

/** A body as it is recorded. Whatever it is, the change has been made, so that it must not keep the event from being stored. */
function bodyOf(text: string): unknown {
  if (text === '') return undefined
  // Whole content is sent to be tried out, for example.
  if (text.length > MAX_BODY_CHARS) return `(${text.length} characters)`
  if (isDeeper(text, MAX_DEPTH)) return `(${text.length} characters, nested too deeply to be shown)`
  try {
    return JSON.parse(text)
  } catch {
    return `(${text.length} characters that are not JSON)`
  }
}

/** The beginning of a text, without tokens that somebody put where they do not belong, such as a path. */
function clip(text: string, most: number): string {
  return text.replaceAll(TOKEN, '(token)').slice(0, most).toWellFormed()
}
