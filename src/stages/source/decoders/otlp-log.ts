import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { stringifyJson } from '../../../util/json.ts'
import { logTypeOf, type ReEncoded, timeOfNanos } from './re-encoded.ts'

/** A log record of OpenTelemetry, with what its scope and its resource say about it. */
export interface OtlpLog {
  readonly timeNanos: bigint
  readonly observedNanos: bigint
  readonly body: JsonValue | undefined
  readonly attributes: JsonObject
  /** Severity, trace, span and name of the event, if there are any. */
  readonly more: JsonObject
  /** Attributes of its resource and its scope; shared by all records with the same ones. */
  readonly shared: JsonObject
}

/** The body is the record, and everything else belongs to it; without a body, the attributes are the record. */
export function addLog(records: ReEncoded, { timeNanos, observedNanos, body, attributes, more, shared }: OtlpLog): void {
  const hasBody = body !== undefined && body !== null && body !== ''
  const text = typeof body === 'string' && hasBody ? body : stringifyJson(hasBody ? body : attributes)
  const fields: JsonObject = { ...shared, ...more, ...(hasBody && attributes) }
  const host = fields['host.name']
  records.add(text, {
    time: timeOfNanos(timeNanos > 0n ? timeNanos : observedNanos),
    ...(typeof host === 'string' && { host }),
    logType: logTypeOf(attributes['log_type'] ?? shared['log_type']),
    fields,
  })
}

/** Maximum size of what records share, times the number of records, in bytes: a small body must not become huge events. */
const MAX_SPREAD_BYTES = 64 * 1024 * 1024

/** Adds up what records share with others of the same body. */
export class Spread {
  #bytes = 0

  /** False if it is too much. */
  add(sharedBytes: number): boolean {
    this.#bytes += sharedBytes
    return this.#bytes <= MAX_SPREAD_BYTES
  }
}

/** The size of what records share. */
export function sizeOf(shared: JsonObject): number {
  return stringifyJson(shared).length
}
