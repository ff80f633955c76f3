import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Command } from 'commander'
import { splitJsonArray } from '../../util/json-spans.ts'
import { printable } from '../../util/terminal.ts'
import { type Cell, canFit, columns } from '../columns.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted, span } from '../style.ts'

interface Flags extends ServerFlags {
  readonly maxRows?: number
  readonly timeoutMs?: number
}

/** Exit code of a command that was stopped with Ctrl-C. */
const INTERRUPTED = 130

const HELP = `
On a terminal the answer is a table; with --json, or in a pipe, it is a JSON object a line. Ctrl-C ends the query in the lake.
Tables: logs.<log type>, logs.all, matches.<log type>, matches.all, monitor.dead_letters, monitor.rule_errors,
lookups.<lookup table>, lookups.<lookup table>_history.

Examples:
  caracal query "SELECT p_log_type, count() FROM logs.all GROUP BY p_log_type"
  caracal query "SELECT * FROM matches.zeek_ssh LIMIT 10" --json
  caracal query - < hunt.sql`

export function registerQuery(program: Command, io: Io): void {
  withServer(
    program
      .command('query')
      .summary('query the lake with SQL')
      .description('Queries the lake with a SELECT in ClickHouse SQL. Queries are read-only.')
      .argument('<sql>', 'the query; - reads it from standard input')
      .option(
        '--max-rows <n>',
        'maximum number of rows (default: query_max_rows of the configuration)',
        wholeNumber('--max-rows'),
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

async function query(sql: string, { maxRows, timeoutMs, ...flags }: Flags, io: Io): Promise<void> {
  if (sql === '') throw new UsageError('the query is empty: give a SELECT')
  const client = clientOf(flags, io)
  const interrupt = new AbortController()
  const dispose = io.onInterrupt(() => interrupt.abort())
  try {
    const body = { sql, ...(maxRows && { max_rows: maxRows }), ...(timeoutMs && { timeout_ms: timeoutMs }) }
    const { signal } = interrupt
    const response = await client.call('/api/v1/query', { method: 'POST', body, accept: 'application/x-ndjson', signal })
    const lines = createInterface({
      input: Readable.fromWeb(response.body as ReadableStream),
      crlfDelay: Number.POSITIVE_INFINITY,
    })
    await (flags.json || !io.isTty ? printJson(lines, io) : printTable(lines, io))
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    io.err('The query was stopped.\n')
    throw new Exit(INTERRUPTED)
  } finally {
    dispose()
  }
}

interface Rest {
  readonly truncated: boolean
  readonly ms: number
}

/** Column names, each row's line as it arrives, and the rest. */
async function read(lines: AsyncIterable<string>, onRow: (names: readonly string[], row: string) => Promise<void> | void) {
  let names: readonly string[] | undefined
  let rest: Rest | undefined
  for await (const line of lines) {
    if (!names) names = (JSON.parse(line) as { columns: { name: string }[] }).columns.map(({ name }) => name)
    else if (line.startsWith('[')) await onRow(names, line)
    else rest = JSON.parse(line) as Rest
  }
  if (!names || !rest) throw new Error('the result is incomplete: the connection ended too early')
  return { names, rest }
}

async function printJson(lines: AsyncIterable<string>, io: Io): Promise<void> {
  let rows = 0
  const { rest } = await read(lines, async (names, row) => {
    rows++
    const members = valuesOf(row).map((value, i) => `${JSON.stringify(names[i])}:${value}`)
    await io.write(`{${members.join(',')}}\n`)
  })
  if (rest.truncated) io.err(cutMessage(rows))
}

async function printTable(answer: AsyncIterable<string>, io: Io): Promise<void> {
  const rows: string[][] = []
  const { names, rest } = await read(answer, (_, row) => void rows.push(valuesOf(row)))
  const cells = rows.map((row) =>
    row.map((value) => ({ text: value.startsWith('"') ? (JSON.parse(value) as string) : value, isNumber: /^-?\d/.test(value) })),
  )
  const lines = canFit(names.length, io.columns) ? columns(names, cells, io.columns) : blocks(names, cells)
  await io.write(`${lines.join('\n')}\n`)
  io.err(`${counted(rows.length, 'row')} in ${span(rest.ms)}\n`)
  if (rest.truncated) io.err(cutMessage(rows.length))
}

/** If there are more columns than fit on a line, each row is a block, without null or empty values. */
function blocks(names: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const width = Math.max(...names.map((name) => name.length))
  return rows.flatMap((row, n) => [
    `--- row ${n + 1}`,
    ...row.flatMap(({ text }, i) => (EMPTY.includes(text) ? [] : [`${printable(names[i]!).padEnd(width)}  ${printable(text)}`])),
  ])
}

const EMPTY = ['null', '[]', '']

/** The exact text of a row's values. */
function valuesOf(row: string): string[] {
  return splitJsonArray(row).elements.map(({ start, end }) => row.slice(start, end))
}

function cutMessage(rows: number): string {
  return `The result was cut after ${counted(rows, 'row')}: select fewer rows, or raise --max-rows.\n`
}
