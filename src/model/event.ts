import type { JsonObject } from './json.ts'

/**
 * A parsed, normalised record: a plain object with the log's own fields and the standard `p_` fields.
 * Times are RFC 3339 in UTC with up to nine digits (`2024-04-19T10:00:00.123456Z`).
 */
export interface Event extends JsonObject {
  p_log_type: string
  p_row_id: string
  p_event_time: string
  p_parse_time: string
  p_source_id: string
  p_source_label: string
  p_schema_version: number
}

/** The indicator fields: every schema fills them from its fields marked with `indicators`. */
export const INDICATOR_FIELDS = [
  'p_any_ip_addresses',
  'p_any_domain_names',
  'p_any_emails',
  'p_any_usernames',
  'p_any_md5_hashes',
  'p_any_sha1_hashes',
  'p_any_sha256_hashes',
  'p_any_aws_arns',
  'p_any_aws_account_ids',
  'p_any_aws_instance_ids',
  'p_any_aws_tags',
  'p_any_trace_ids',
] as const

export type IndicatorField = (typeof INDICATOR_FIELDS)[number]
