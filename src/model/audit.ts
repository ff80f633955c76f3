import type { JsonValue } from './json.ts'

/** The source of audit events. Nothing else can send to it. */
export const AUDIT_SOURCE = 'caracal-audit'

export const AUDIT_LOG_TYPE = 'Caracal.Audit'

/** A change that somebody made, or a call that was refused; what the schema of `Caracal.Audit` describes. */
export interface AuditEntry {
  readonly audit_event: 'change' | 'refused'
  readonly caller?: string | undefined
  readonly caller_kind?: string | undefined
  readonly caller_role?: string | undefined
  readonly caller_address?: string | undefined
  readonly operation?: string | undefined
  readonly request_path: string
  readonly status: number
  readonly reason?: string | undefined
  readonly detail?: JsonValue | undefined
}
