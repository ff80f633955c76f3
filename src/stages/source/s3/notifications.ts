import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'

/** An object that a message is about. */
export interface NotifiedObject {
  readonly bucket: string
  readonly key: string
  readonly etag: string
  readonly size: number | undefined
}

/** What a queue's message says; a text: why it cannot be understood. */
export type Notification = { readonly objects: readonly NotifiedObject[] } | string

const MAX_DEPTH = 20

/**
 * Reads a notification about created objects: from S3, directly or through SNS (with or without raw delivery), or from EventBridge.
 * The message with which S3 tests a new configuration, and events about anything but creation, hold no objects.
 */
export function notificationOf(body: string): Notification {
  const message = objectIn(body)
  if (!message) return 'it is not a JSON object'
  const inner = message['Type'] === 'Notification' ? objectIn(message['Message']) : message
  if (!inner) return 'it comes from SNS, but its content is not a JSON object'
  if (inner['Event'] === 's3:TestEvent') return { objects: [] }
  const records = inner['Records']
  if (Array.isArray(records)) return ofRecords(records)
  const detail = inner['detail']
  if (isObject(detail) && inner['source'] === 'aws.s3') return ofEvent(inner['detail-type'], detail)
  return 'it is not a notification of S3, SNS or EventBridge about objects'
}

function ofRecords(records: readonly JsonValue[]): Notification {
  const objects: NotifiedObject[] = []
  for (const record of records) {
    const s3 = isObject(record) ? record['s3'] : undefined
    if (!isObject(record) || !isObject(s3)) return 'one of its Records is not about S3'
    if (!String(record['eventName']).replace(/^s3:/, '').startsWith('ObjectCreated:')) continue
    const object = objectOf(s3, 'eTag', urlDecoded)
    if (!object) return 'one of its Records names no object with an ETag'
    objects.push(object)
  }
  return { objects }
}

function ofEvent(kind: JsonValue | undefined, detail: JsonObject): Notification {
  if (kind !== 'Object Created') return { objects: [] }
  // Unlike S3 itself, EventBridge does not encode keys.
  const object = objectOf(detail, 'etag', (key) => key)
  return object ? { objects: [object] } : 'it names no object with an ETag'
}

function objectOf(
  { bucket, object }: JsonObject,
  etagName: string,
  decoded: (key: string) => string | undefined,
): NotifiedObject | undefined {
  if (!isObject(bucket) || !isObject(object)) return undefined
  const { name } = bucket
  const { key: written, size, [etagName]: etag } = object
  const key = typeof written === 'string' ? decoded(written) : undefined
  if (typeof name !== 'string' || key === undefined || typeof etag !== 'string') return undefined
  return {
    bucket: name,
    key,
    etag: etag.replaceAll('"', ''),
    size: typeof size === 'number' ? size : undefined,
  }
}

/** S3 writes keys like the values of a form: `+` for a blank. */
function urlDecoded(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function objectIn(text: JsonValue | undefined) {
  const parsed = typeof text === 'string' ? parseJson(text, { maxDepth: MAX_DEPTH }) : undefined
  return parsed?.kind === 'ok' && isObject(parsed.value) ? parsed.value : undefined
}
