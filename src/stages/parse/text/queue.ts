import type { Hints } from '../../../model/chunk.ts'
import type { Event } from '../../../model/event.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { Outcome } from '../../../model/outcome.ts'
import type { CompiledSchema, RecordMeta } from '../../../model/schema.ts'
import { parseJson, setOwn } from '../../../util/json.ts'
import { withFields } from '../fields.ts'
import { HEADER } from '../native/native.ts'
import type { TextCandidate } from './candidates.ts'
import { Miss, type TextReader } from './text-parser.ts'

/** The first line of what the queue remembers. */
const CONTEXT = /^@text (.*)\n/

/** Penalties only put schemas in order. */
const MAX_PENALTY = 1000

/** A text that a schema has made an event, or all of them have refused. */
export type Taken =
  | { readonly schema: CompiledSchema; readonly outcome: Outcome<Event> }
  | { readonly schema: undefined; readonly outcome: Refusal }

interface Entry {
  readonly schema: CompiledSchema
  readonly reader: TextReader
  readonly place: number
  penalty: number
}

interface Failed {
  readonly entry: Entry
  readonly why: Miss | Refusal
}

/**
 * Offers the texts of one chunk to the parsers of its source's schemas. The schema that accepted the last text is tried first: each
 * failure costs a schema a place, and a success puts it in front again. What it remembers is part of the chunk's context, so that the
 * same chunk always gives the same events.
 */
export class TextQueue {
  readonly #entries: Entry[]

  /** `context`: what the queue of the previous chunk of the same place returned, at the beginning of a longer text. */
  constructor(candidates: readonly TextCandidate[], context: string) {
    const kept = candidates.length === 0 ? {} : remembered(context)
    this.#entries = candidates.map(({ schema, parser }, place) => {
      const [penalty, state] = kept[schema.name] ?? [0, '']
      return { schema, reader: parser.open(state), place, penalty }
    })
    this.#sort()
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** What the next chunk of the same place needs to know; '' if nothing. */
  context(): string {
    const kept: Record<string, Kept> = {}
    for (const { schema, reader, penalty } of this.#entries) {
      const state = reader.context()
      if (penalty > 0 || state !== '') kept[schema.name] = [penalty, state]
    }
    return Object.keys(kept).length === 0 ? '' : `@text ${JSON.stringify(kept)}\n`
  }

  /** The event of the first schema that accepts the text; `HEADER` if it belongs to a format but is not a record. `hints`: fields for a record that has none. */
  take(text: string, meta: RecordMeta, { host, fields }: Pick<Hints, 'host' | 'fields'> = {}): Taken | typeof HEADER {
    let failed: Failed[] | undefined
    for (const entry of this.#entries) {
      const reading = entry.reader.read(text)
      if (reading === HEADER) return HEADER
      if (host !== undefined && !(reading instanceof Miss) && reading['host'] === undefined) setOwn(reading, 'host', host)
      const { schema } = entry
      const outcome =
        reading instanceof Miss ? reading : withFields(schema, schema.normalise(reading, meta), reading, meta, fields)
      if (outcome instanceof Miss || outcome.kind === 'dead-letter') {
        failed ??= []
        failed.push({ entry, why: outcome })
        continue
      }
      this.#reward(entry, failed)
      return { schema, outcome }
    }
    return { schema: undefined, outcome: refusal((failed ?? []).map(({ entry, why }) => ({ schema: entry.schema, why }))) }
  }

  /** Every schema whose parser accepts the text, with the values; for sources that name no log types. */
  readings(text: string): readonly { readonly schema: CompiledSchema; readonly raw: JsonObject | typeof HEADER }[] {
    return this.#entries.flatMap(({ schema, reader }) => {
      const raw = reader.read(text)
      return raw instanceof Miss ? [] : [{ schema, raw }]
    })
  }

  #reward(entry: Entry, failed: readonly Failed[] = []): void {
    if (failed.length === 0 && entry.penalty === 0) return
    entry.penalty = 0
    for (const other of failed) other.entry.penalty = Math.min(other.entry.penalty + 1, MAX_PENALTY)
    this.#sort()
  }

  #sort(): void {
    this.#entries.sort((a, b) => a.penalty - b.penalty || a.place - b.place)
  }
}

type Refusal = Extract<Outcome<never>, { kind: 'dead-letter' }>
type Kept = [penalty: number, state: string]

function remembered(context: string): Readonly<Record<string, Kept>> {
  const text = CONTEXT.exec(context)?.[1]
  const result = text === undefined ? undefined : parseJson(text, { maxDepth: 4 })
  return result?.kind === 'ok' ? (result.value as unknown as Readonly<Record<string, Kept>>) : {}
}

/** The context without the line of the queue. */
export function withoutQueue(context: string): string {
  return context.replace(CONTEXT, '')
}

/** Maximum number of schemas whose objections a message lists. */
const SHOWN = 3

/** A schema whose parser accepted the text, and whose fields then did not, says more than those that the text is not for. */
function refusal(failed: readonly { readonly schema: CompiledSchema; readonly why: Miss | Refusal }[]): Refusal {
  const refused = failed.flatMap(({ why }) => (why instanceof Miss ? [] : [why]))
  if (refused.length === 1) return refused[0]!
  const objections = failed.map(({ schema, why }) => `${schema.name}: ${why instanceof Miss ? why.why : why.message}`)
  const others = objections.length > SHOWN ? ` and ${objections.length - SHOWN} others` : ''
  const [only] = failed
  const reason = failed.length === 1 && only!.why instanceof Miss ? only!.why.reason : 'no_match'
  return {
    kind: 'dead-letter',
    reason,
    message: `no schema of this source can read the record (${objections.slice(0, SHOWN).join('; ')}${others}): correct the schema's parser or what the sender writes, or send this log to a source of its own`,
  }
}
