import type { Extent } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { Event } from '../model/event.ts'
import type { TableRows } from '../model/lookup.ts'
import type { Match } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { Rule } from '../model/rule.ts'
import type { CompiledSchema } from '../model/schema.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { Parser } from '../stages/parse/parser.ts'
import type { BatchSource } from '../stages/source/source.ts'
import { hash16 } from '../util/hash.ts'
import type { Generation, SourceBinding } from './generation.ts'
import type { LoopDeps } from './loop-deps.ts'

/** A log of one field: every line is an event, but `bad …` is a dead letter, and `throw` breaks the parser. */
export const lineSchema: CompiledSchema = {
  name: 'Test.Line',
  version: 1,
  table: 'test_line',
  columns: [
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'p_source_id', kind: 'string', required: true },
    { name: 'line', kind: 'string' },
    { name: 'p_generation', kind: 'string' },
  ],
  normalise: () => {
    throw new Error('the test parser makes events by itself')
  },
  encode(events, out, { generation }) {
    if (events.some((event) => String(event['line']).startsWith('unwritable'))) throw new TypeError('this row cannot be written')
    for (const column of lineSchema.columns) {
      if (column.name === 'p_generation') out.same(column, generation)
      else
        out.column(
          column,
          events.map((event) => event[column.name]),
        )
    }
  },
  unknownFields: () => [],
  native: undefined,
  parser: undefined,
  mayGuess: true,
  isDescribed: true,
  fit: () => ({ known: 1, times: 0, telling: 1, unknown: [], missing: [], isWhole: true }),
  confirmed: () => 0,
}

export const lineParser: Parser = {
  parse(chunk, source) {
    const events: Event[] = []
    const deadLetters: DeadLetter[] = []
    let offset = chunk.offset
    for (const line of Buffer.from(chunk.bytes).toString().split('\n')) {
      if (line === 'throw') throw new Error('the parser broke')
      const rowId = chunk.place + offset.toString(16).padStart(12, '0')
      if (line.startsWith('bad')) deadLetters.push(letter(line, source.id, rowId))
      else if (line !== '') events.push(eventOf(line, source.id, rowId))
      offset += line.length + 1
    }
    const groups = events.length > 0 ? [{ schema: lineSchema, events }] : []
    return {
      received: events.length + deadLetters.length,
      groups,
      deadLetters,
      spans: [],
      context: '',
      filtered: new Map(),
      guessed: new Map(),
      unknownFields: new Map(),
    }
  },
}

function eventOf(line: string, source: string, rowId: string): Event {
  return {
    p_log_type: 'Test.Line',
    p_row_id: rowId,
    p_event_time: '2024-01-01T00:00:00Z',
    p_parse_time: '2024-01-01T00:00:00Z',
    p_source_id: source,
    p_source_label: source,
    p_schema_version: 1,
    line,
  }
}

function letter(line: string, source: string, rowId: string): DeadLetter {
  const raw = Buffer.from(line)
  return { reason: 'invalid_json', message: 'bad', source, position: rowId, length: raw.length, sha256: '', raw, rowId }
}

/** Every line with `evil` in it matches; the text after the word is the dedup string. */
export function evilDetector(part: Partial<Detector> = {}): Detector {
  return {
    logTypes: new Set(['Test.Line']),
    ruleIds: () => ['Evil'],
    setupErrors: [],
    evaluate: async ({ ndjson }) => {
      const lines = Buffer.from(ndjson).toString().trim().split('\n')
      return lines.flatMap((text, event) => {
        const { line } = JSON.parse(text) as { line: string }
        return line.includes('evil') ? [matchOf(event, line.slice(line.indexOf('evil') + 4))] : []
      })
    },
    test: async () => ({ out: {}, errors: {}, printed: '', ms: 0 }),
    timings: () => [],
    close: async () => {},
    ...part,
  }
}

function matchOf(event: number, dedup: string): Match {
  const texts = { title: 'Evil', dedup, description: '', reference: '', runbook: '' }
  return {
    kind: 'match',
    ruleId: 'Evil',
    event,
    severity: 'HIGH',
    destinations: undefined,
    alertContext: undefined,
    functionErrors: {},
    ...texts,
  }
}

export const evilRule: Rule = {
  id: 'Evil',
  displayName: 'Evil',
  enabled: true,
  logTypes: ['Test.Line'],
  severity: 'HIGH',
  description: '',
  reference: '',
  runbook: '',
  tags: [],
  reports: {},
  dedupPeriodMinutes: 60,
  threshold: 1,
  summaryAttributes: [],
  outputIds: [],
  createAlert: true,
  tests: [],
  file: 'evil.yml',
  source: { language: 'python', file: 'evil.py', code: '' },
}

/** A source over a list of texts: one text per batch. What is committed is recorded in `done`. */
export class ListSource implements BatchSource {
  readonly id: string
  readonly texts: string[]
  readonly done: number[] = []
  #next: number

  constructor(id: string, texts: readonly string[], from = 0) {
    this.id = id
    this.texts = [...texts]
    this.#next = from
  }

  async next(): Promise<Extent | undefined> {
    return this.#next < this.texts.length ? { kind: 'list', at: this.#next } : undefined
  }
  async read(extent: Extent): Promise<readonly Chunk[]> {
    const at = extent['at'] as number
    const place = hash16(this.id, String(at))
    return [{ bytes: Buffer.from(this.texts[at]!), place, offset: 0, context: '', final: true, faults: [] }]
  }
  receivedMs(): undefined {
    return undefined
  }
  parsed(extent: Extent): { place: string; value: object } {
    this.#next = Math.max(this.#next, (extent['at'] as number) + 1)
    return { place: 'list', value: { next: this.#next } }
  }
  committed(extent: Extent): void {
    this.done.push(extent['at'] as number)
  }
  status(): { backlogBytes: number; notices: string[] } {
    return { backlogBytes: 0, notices: [] }
  }
  async close(): Promise<void> {}
}

/** A generation of one log type and one rule, for sources of any id. */
export function lineGeneration(part: Partial<Generation> = {}): Generation {
  return {
    hash: 'f00d',
    parser: lineParser,
    detectors: [evilDetector()],
    rules: new Map([['Evil', evilRule]]),
    correlation: undefined,
    sources: anySource,
    ...part,
  }
}

/** Binds any source to the log of lines. */
export const anySource = {
  get: (id: string): SourceBinding => ({
    parse: { id, label: id, schemas: [lineSchema], isNamed: true, logType: undefined },
    enricher: () => ({ enrich: () => {}, rows: NO_TABLES, rowsAt: () => NO_TABLES }),
  }),
} as ReadonlyMap<string, SourceBinding>

/** A loop's options, and how its generation differs from `lineGeneration`. */
export type LoopParts = Omit<LoopDeps, 'generation'> & { readonly generation: Partial<Generation> }

/** Everything a loop needs except sources and state. */
export function loopDeps(
  sources: readonly BatchSource[],
  { generation, ...part }: Partial<LoopParts> & Pick<LoopDeps, 'state'>,
): LoopDeps {
  const only = lineGeneration(generation)
  return {
    sources,
    generation: () => only,
    routes: [],
    baseUrl: 'http://127.0.0.1:4848',
    now: () => 1_700_000_000_000,
    isFull: () => false,
    observe: () => {},
    onCommitted: () => {},
    onOtherCommitted: () => {},
    onTrouble: () => {},
    pauseMs: 5,
    ...part,
  }
}

/** For rules that read no tables. */
export const NO_TABLES: TableRows = { stamp: '', find: (table) => ({ problem: `no table '${table}' is in force` }) }
