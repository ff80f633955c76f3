import type { Column } from './column.ts'
import { INDICATOR_FIELDS } from './event.ts'

/** The first columns of every events and matches table. */
export const STANDARD_COLUMNS: readonly Column[] = [
  { name: 'p_log_type', kind: 'string', required: true },
  { name: 'p_row_id', kind: 'string', required: true },
  { name: 'p_event_time', kind: 'timestamp', required: true },
  { name: 'p_parse_time', kind: 'timestamp', required: true },
  { name: 'p_source_id', kind: 'string', required: true },
  { name: 'p_source_label', kind: 'string', required: true },
  { name: 'p_schema_version', kind: 'int', required: true },
  { name: 'p_event_time_corrected', kind: 'boolean' },
  { name: 'p_source_file', kind: 'string' },
  { name: 'p_generation', kind: 'string' },
  { name: 'p_header', kind: 'json' },
  ...INDICATOR_FIELDS.map((name): Column => ({ name, kind: 'strings', required: true })),
]
