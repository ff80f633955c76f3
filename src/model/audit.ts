import type { JsonValue } from './json.ts'

/** The source of audit events. Nothing else can send to it. */
export const AUDIT_SOURCE = 'caracal-audit'

export const AUDIT_LOG_TYPE = 'Caracal.Audit'

/** A change that somebody made, a call that was refused, or news of a session; what the schema of `Caracal.Audit` describes. */
export interface AuditEntry {
  /** `signed_in`: somebody has; `session_moved`: a session is used from another network than before. */
  readonly audit_event: 'change' | 'refused' | 'signed_in' | 'session_moved'
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
