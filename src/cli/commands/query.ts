import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { type Command, Option } from 'commander'
import { messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { CallFailed, type Client } from '../client.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { ended, type Job } from '../query-job.ts'
import { printTable } from '../query-output.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted, span } from '../style.ts'

interface Flags extends ServerFlags {
  readonly maxRows?: number
  readonly timeoutMs?: number
  readonly dialect?: string
  readonly format?: string
  readonly output?: string
  readonly forSpreadsheets?: boolean
}

const FORMATS = ['table', 'ndjson', 'json', 'csv', 'parquet']

/** Exit code of a command that was stopped with Ctrl-C. */
const INTERRUPTED = 130

const HELP = `
On a terminal the result is a table; with --json, or in a pipe, it is a JSON object per line. Ctrl-C ends the query in the lake.
Results are kept for a day: caracal queries lists them.
Tables: logs.<log type>, logs.all, matches.<log type>, matches.all, monitor.dead_letters, monitor.rule_errors,
lookups.<lookup table>, lookups.<lookup table>_history.

Examples:
  caracal query "SELECT p_log_type, count() FROM logs.all GROUP BY p_log_type"
  caracal query "SELECT * FROM matches.zeek_ssh LIMIT 10" --json
  caracal query "SELECT * FROM panther_logs.public.zeek_ssh WHERE p_occurs_since('1 day')"
  caracal query "SELECT * FROM logs.zeek_conn" --format parquet --output conn.parquet
  caracal query - < hunt.sql`

export function registerQuery(program: Command, io: Io): void {
  withServer(
    program
      .command('query')
      .summary('query the lake with SQL')
      .description(
        "Queries the lake with a SELECT in ClickHouse SQL, or as it is written for Panther, in Snowflake's. Queries are read-only.",
      )
      .argument('<sql>', 'the query; - reads it from standard input')
      .option(
        '--max-rows <n>',
        'maximum number of rows (default: query_max_rows of the configuration)',
        wholeNumber('--max-rows'),
      )
      .addOption(
        new Option('--format <format>', 'of the result (default: table on a terminal, otherwise ndjson)').choices(FORMATS),
      )
      .option('--output <file>', 'write the result to this file')
      .option('--for-spreadsheets', "with csv: put ' before texts that a spreadsheet would run as formulas")
      .addOption(
        new Option('--dialect <dialect>', 'of the query: clickhouse, or snowflake as in Panther (default: by the text)').choices([
          'auto',
          'clickhouse',
          'snowflake',
        ]),
      )
      .option('--timeout-ms <n>', 'stop the query after this many milliseconds', wholeNumber('--timeout-ms')),
  )
    .addHelpText('after', HELP)
    .action(async (sql: string, flags: Flags) => query(sql === '-' ? await readAll(io) : sql, flags, io))
}

function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${option} '${text}' is not a positive integer`)
    return Number(text)
  }
}

/** The API's limit. */
const MAX_SQL_CHARS = 100_000

async function readAll({ stdin }: Io): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of stdin as AsyncIterable<Buffer>) {
    size += part.length
    if (size > 4 * MAX_SQL_CHARS) throw new UsageError(`the query on standard input is longer than ${MAX_SQL_CHARS} characters`)
    parts.push(Buffer.from(part))
  }
  return Buffer.concat(parts).toString('utf8').trim()
}

/** The form of the result. Throws `UsageError` for options that do not go together. */
function formatOf({ format, output, json, forSpreadsheets }: Flags, io: Io): string {
  const chosen = format ?? (json || output !== undefined || !io.isTty ? 'ndjson' : 'table')
  if (chosen === 'table' && output !== undefined) throw new UsageError('--output needs --format ndjson, json, csv or parquet')
  if (chosen === 'parquet' && output === undefined && io.isTty)
    throw new UsageError('--format parquet is not for a terminal: give --output FILE')
  if (forSpreadsheets && chosen !== 'csv') throw new UsageError('--for-spreadsheets needs --format csv')
  return chosen
}

async function query(sql: string, flags: Flags, io: Io): Promise<void> {
  if (sql === '') throw new UsageError('the query is empty: give a SELECT')
  const { maxRows, timeoutMs, dialect } = flags
  const format = formatOf(flags, io)
  const limits = { ...(maxRows && { max_rows: maxRows }), ...(timeoutMs && { timeout_ms: timeoutMs }) }
  await runJob(clientOf(flags, io), '/api/v1/queries', { sql, ...limits, ...(dialect && { dialect }) }, { ...flags, format }, io)
}

interface Output {
  readonly format: string
  readonly output?: string
  readonly forSpreadsheets?: boolean
}

/** Starts a query by a call, and prints its result. Ctrl-C ends it in the lake. Throws `CallFailed` if it fails. */
export async function runJob(client: Client, path: string, body: object, output: Output, io: Io): Promise<void> {
  const interrupt = new AbortController()
  const dispose = io.onInterrupt(() => interrupt.abort())
  const { signal } = interrupt
  const job = await client.json<Job>(path, { method: 'POST', body })
  try {
    signal.throwIfAborted()
    const end = await ended(client, job, io, signal)
    if (end.state !== 'done') throw new CallFailed(end.error ?? 'the query was cancelled')
    await print(client, end, output, io, signal)
    showRest(end, io)
  } catch (error) {
    if (!signal.aborted) throw error
    await client.call(`/api/v1/queries/${job.id}/cancel`, { method: 'POST' })
    io.err('The query was stopped.\n')
    throw new Exit(INTERRUPTED)
  } finally {
    dispose()
  }
}

async function print(client: Client, job: Job, { format, output, forSpreadsheets }: Output, io: Io, signal: AbortSignal) {
  const form = format === 'table' ? 'arrays' : format
  const path = `/api/v1/queries/${job.id}/export?format=${form}${forSpreadsheets ? '&for_spreadsheets=true' : ''}`
  const response = await client.call(path, { accept: '*/*', signal })
  const bytes = Readable.fromWeb(response.body as ReadableStream)
  if (format === 'table') {
    const lines = createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY })
    await printTable(
      (job.columns ?? []).map(({ name }) => name),
      lines,
      io,
    )
    io.err(`${counted(job.rows ?? 0, 'row')} in ${span(job.elapsed_ms)}\n`)
  } else if (output === undefined) for await (const part of bytes) await io.write(part as string)
  else {
    await pipeline(bytes, createWriteStream(output)).catch((error: unknown) => {
      throw signal.aborted ? error : new CallFailed(`the result could not be written: ${messageOf(error)}`, { cause: error })
    })
    io.err(`${counted(job.rows ?? 0, 'row')} in ${output}\n`)
  }
}

function showRest({ truncated, translated, rows }: Job, io: Io): void {
  if (translated) io.err(`It was translated from Snowflake's dialect and ran as:\n${printable(translated.sql)}\n`)
  for (const note of translated?.notes ?? []) io.err(`Note: ${printable(note)}\n`)
  if (truncated) io.err(`The result was cut after ${counted(rows ?? 0, 'row')}: select fewer rows, or raise --max-rows.\n`)
}
