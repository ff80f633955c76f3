import type { Readable } from 'node:stream'
import type { Config } from '../../config/config.ts'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import type { DeadLetter } from '../../model/outcome.ts'
import { enrichBatch } from '../../pipeline/enrich.ts'
import { parseBatch } from '../../pipeline/parse.ts'
import { rowReader } from '../../pipeline/rejudge/stored-events.ts'
import type { Parsed } from '../../pipeline/steps.ts'
import type { Enricher } from '../../stages/enrich/table.ts'
import { createParser } from '../../stages/parse/step.ts'
import { fileChunks } from '../../stages/source/file-chunks.ts'
import { type StreamChunk, streamChunks } from '../../stages/source/line-stream.ts'
import { ConfigError } from '../../util/errors.ts'
import { hash16 } from '../../util/hash.ts'
import { parseJson, stringifyJson } from '../../util/json.ts'
import { type LoadedContent, parseSource, schemaOf } from '../path.ts'
import type { Subject } from './explain-rule.ts'

const SOURCE = 'explain'

export interface SubjectDeps {
  readonly config: Pick<Config, 'max_record_bytes' | 'max_depth'>
  readonly loaded: LoadedContent
  readonly enricher: Enricher
  readonly nowMs: number
  readonly tell: (text: string) => void
}

/** Where the event is: a text, a file, or standard input, and which of its records is meant, from 1. */
export type SubjectInput = { readonly logType: string | undefined; readonly record: number } & (
  | { readonly text: string }
  /** A row of the lake: a JSON array of the values of these columns. */
  | { readonly row: string; readonly columns: readonly string[] }
  | { readonly file: string }
  | { readonly stdin: Readable }
)

/**
 * The event to explain: a JSON object with `p_log_type` is one already; any other record goes through its schema and the tables, as `caracal
 * run` does it. Throws `ConfigError` if there is no such record, or if it becomes no event.
 */
export async function readSubject(input: SubjectInput, deps: SubjectDeps): Promise<Subject> {
  const { loaded, config, nowMs, enricher } = deps
  if ('row' in input) return subjectOf(storedEventOf(input, loaded), enricher, nowMs)
  const source = parseSource({ id: SOURCE, log_types: input.logType === undefined ? [] : [input.logType] }, loaded)
  const parser = createParser({ maxRecordBytes: config.max_record_bytes, maxDepth: config.max_depth })
  let left = input.record
  let seen = 0
  for await (const { chunk, parsed } of chunksOf(input, deps)) {
    const events = readyEvents(chunk.bytes, config.max_depth)
    if (events) {
      const event = events[left - 1]
      if (event) return subjectOf(event, enricher, nowMs)
      left -= events.length
      seen += events.length
      parsed('')
      continue
    }
    const batch = parseBatch([chunk], source, parser, nowMs)
    parsed(batch.context)
    const outcomes = outcomesOf(await enrichBatch(batch, SOURCE, enricher, nowMs))
    const outcome = outcomes[left - 1]
    if (outcome && 'letter' in outcome) throw lost(outcome.letter)
    if (outcome) return subjectOf(outcome.event, enricher, nowMs)
    left -= outcomes.length
    seen += outcomes.length
  }
  throw new ConfigError(
    seen === 0
      ? 'there is no record to explain: the input is empty'
      : `there is no record ${input.record}: the input has ${seen}`,
  )
}

function storedEventOf(
  { row, columns, logType = '' }: Extract<SubjectInput, { row: string }>,
  loaded: LoadedContent,
): JsonObject {
  const schema = schemaOf(logType, loaded)
  if (!schema) throw new ConfigError(`the event is of log type '${logType}', which has no schema any more`)
  return rowReader(schema, columns)(row)
}

/** What became of records, in their order: row ids count them. */
function outcomesOf({ groups, deadLetters }: Parsed): ({ event: Event } | { letter: DeadLetter })[] {
  const events = groups.flatMap((group) => group.events.map((event) => [event.p_row_id, { event }] as const))
  const letters = deadLetters.map((letter) => [letter.rowId, { letter }] as const)
  return [...events, ...letters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, outcome]) => outcome)
}

function lost({ reason, message }: DeadLetter): ConfigError {
  return new ConfigError(`the record became a dead letter, so that no rule sees it: ${reason}: ${message}`)
}

/** Events as the lake, `caracal run` and unit tests have them: one object, or one a line. */
function readyEvents(bytes: Uint8Array, maxDepth: number): JsonObject[] | undefined {
  const text = new TextDecoder().decode(bytes)
  const texts = [text, ...text.split('\n', 1)].some((one) => isReady(read(one, maxDepth))) ? [text, ...text.split('\n')] : []
  if (texts.length === 0) return undefined
  const whole = read(text, maxDepth)
  if (isReady(whole)) return [whole]
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const events = lines.map((line) => read(line, maxDepth))
  return events.every(isReady) ? events : undefined
}

function read(text: string, maxDepth: number): unknown {
  const json = parseJson(text, { maxDepth })
  return json.kind === 'ok' ? json.value : undefined
}

function isReady(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && typeof (value as JsonObject)['p_log_type'] === 'string'
}

function subjectOf(event: JsonObject, enricher: Enricher, nowMs: number): Subject {
  const { p_log_type: logType, p_row_id: rowId } = event
  return {
    logType: typeof logType === 'string' ? logType : '',
    rowId: typeof rowId === 'string' ? rowId : undefined,
    text: stringifyJson(event),
    tables: enricher.rowsAt(nowMs),
  }
}

async function* chunksOf(
  input: Exclude<SubjectInput, { row: string }>,
  { config, tell }: SubjectDeps,
): AsyncGenerator<StreamChunk> {
  const maxRecordBytes = config.max_record_bytes
  const place = hash16(SOURCE, 'input')
  if ('file' in input) yield* fileChunks(input.file, { sourceId: SOURCE, maxRecordBytes, tell: (notice) => tell(notice) })
  else if ('stdin' in input) yield* streamChunks(input.stdin, { place, maxRecordBytes, tell })
  else {
    const chunk = { bytes: Buffer.from(input.text), place, offset: 0, context: '', final: true, faults: [] }
    yield { chunk, parsed: () => {} }
  }
}
