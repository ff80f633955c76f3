import type { Attributes, Span, SpanEvent } from './span.ts'

/** Numbers that OTLP gives to names: https://opentelemetry.io/docs/specs/otlp/. */
const INTERNAL = 1
const CONSUMER = 5
const FAILED = 2

/** Spans as the body of an OTLP request: `ExportTraceServiceRequest` in JSON. `resource` says which process they are from. */
export function otlpTraces(spans: readonly Span[], resource: Attributes): string {
  const scopeSpans = [{ scope: { name: 'caracal' }, spans: spans.map(spanOf) }]
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans }] })
}

function spanOf(span: Span) {
  const { traceId, spanId, parentId, name, startMs, endMs, attributes, events = [], droppedEvents = 0, isFailed } = span
  return {
    traceId,
    spanId,
    ...(parentId !== undefined && { parentSpanId: parentId }),
    name,
    // A batch is something received that is processed later; its parts are work within the process.
    kind: parentId === undefined ? CONSUMER : INTERNAL,
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(endMs),
    attributes: attributesOf(attributes),
    ...(events.length > 0 && { events: events.map(eventOf) }),
    ...(droppedEvents > 0 && { droppedEventsCount: droppedEvents }),
    ...(isFailed && { status: { code: FAILED } }),
  }
}

function eventOf({ name, atMs, attributes }: SpanEvent) {
  return { name, timeUnixNano: nanosOf(atMs), attributes: attributesOf(attributes) }
}

/** JSON has no 64-bit integers, so OTLP writes them as text. */
function attributesOf(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: typed(value) }))
}

function typed(value: string | number) {
  if (typeof value === 'string') return { stringValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

/** Nanoseconds since 1970 as text, exact to the microsecond: more than that is not in a double. */
function nanosOf(ms: number): string {
  return `${Math.round(ms * 1000)}000`
}
