export type Attributes = Readonly<Record<string, string | number>>

/** Something that happened at one moment of a span. */
export interface SpanEvent {
  readonly name: string
  /** Epoch ms. */
  readonly atMs: number
  readonly attributes: Attributes
}

/** One piece of work in a trace. Never contains anything of a record: attributes are ids, names of content, and numbers. */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** The span that this one is part of. Absent: it is the root. */
  readonly parentId?: string
  readonly name: string
  /** Epoch ms, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly events?: readonly SpanEvent[]
  /** How many more events there were. */
  readonly droppedEvents?: number
  /** The work did not succeed. */
  readonly isFailed?: boolean
}
