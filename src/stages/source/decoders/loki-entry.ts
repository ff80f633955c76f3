import type { JsonObject } from '../../../model/json.ts'
import { logTypeOf, type ReEncoded, timeOfNanos } from './re-encoded.ts'

/** One line of a stream. */
export interface LokiEntry {
  readonly nanos: bigint
  readonly line: string
  /** The labels of its stream, shared by all its lines. */
  readonly labels: JsonObject
  /** What this line says beyond them. */
  readonly metadata: JsonObject | undefined
}

/** How the walk over a push request ended. */
export interface LokiWalk {
  readonly count: number
  /** Why the whole body is refused. */
  readonly broken?: string
}

/** A line is a record; labels and structured metadata belong to it. */
export function addEntry(records: ReEncoded, { nanos, line, labels, metadata }: LokiEntry, tenant: string | null): void {
  const own = tenant === null ? metadata : { tenant, ...metadata }
  const fields = own ? { ...labels, ...own } : labels
  records.add(line, { time: timeOfNanos(nanos), logType: logTypeOf(fields['log_type']), fields })
}
