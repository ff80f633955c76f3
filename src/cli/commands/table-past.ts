import type { Command } from 'commander'
import type { z } from 'zod'
import type { diffSchema, rowSchema, tableDetailSchema } from '../../api/routes/table-past.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { ago, bold, count, size, span, until } from '../style.ts'

type Detail = z.output<typeof tableDetailSchema>
type Row = z.output<typeof rowSchema>
type Diff = z.output<typeof diffSchema>
type Change = Diff['added'][number]

interface ShowFlags extends ServerFlags {
  readonly asOf?: string
}
interface DiffFlags extends ServerFlags {
  readonly limit: string
}

/** Versions and refreshes that `show` lists; --json has all. */
const LISTED = 10

/** `tables show` and `tables diff`. */
export function registerTablePast(tables: Command, io: Io): void {
  withServer(
    tables
      .command('show <name> [key...]')
      .description(
        'Show a table, its versions and refreshes; with a key, the row that it has, or had. A composite key is several words.',
      )
      .option('--as-of <when>', 'as of a version, or of a time as in 2024-04-19T10:00:00Z'),
  ).action(async (name: string, key: string[], flags: ShowFlags) => {
    if (key.length > 0) return showRow(name, key, flags, io)
    if (flags.asOf !== undefined)
      throw new UsageError('--as-of is about a row: name its key, as in `tables show NAME KEY --as-of 2024-04-19`')
    const table = await clientOf(flags, io).json<Detail>(pathOf(name))
    io.out(flags.json ? `${JSON.stringify(table)}\n` : `${detail(table, io).join('\n')}\n`)
  })
  withServer(
    tables
      .command('diff <name> <before> [after]')
      .description('Show how two versions differ, each given by its name or a time; the second is the one in force by default.')
      .option('--limit <n>', 'number of keys of each kind to list', '20'),
  ).action(async (name: string, before: string, after: string | undefined, flags: DiffFlags) => {
    const query = new URLSearchParams({ before, ...(after !== undefined && { after }), limit: flags.limit })
    const answer = await clientOf(flags, io).call(`${pathOf(name)}/diff?${query}`)
    const text = await answer.text()
    io.out(flags.json ? `${text}\n` : `${difference(JSON.parse(text) as Diff, io).join('\n')}\n`)
  })
}

/** Exits with 1 if the table has no such key. */
async function showRow(name: string, key: readonly string[], flags: ShowFlags, io: Io): Promise<void> {
  const query = new URLSearchParams(key.map((part): [string, string] => ['key', part]))
  if (flags.asOf !== undefined) query.set('as_of', flags.asOf)
  // Long numbers stay as they are in the text.
  const text = await (await clientOf(flags, io).call(`${pathOf(name)}/row?${query}`)).text()
  const { version, since, row } = JSON.parse(text) as Row
  if (flags.json) io.out(`${text}\n`)
  else {
    // In a table that events write, versions belong to rows, so a missing row has no version to show.
    if (version !== '-') io.err(`version ${version}, in force since ${since}\n`)
    if (row === null) io.err(`${printable(`The table has no row for ${key.join(', ')}`)}\n`)
    else io.out(`${printable(/"row":(.*)\}$/s.exec(text)![1]!)}\n`)
  }
  if (row === null) throw new Exit(1)
}

function pathOf(name: string): string {
  return `/api/v1/tables/${encodeURIComponent(name)}`
}

function detail(table: Detail, io: Io): string[] {
  const width = io.isTty ? io.columns : Number.POSITIVE_INFINITY
  const facts: [string, string | null][] = [
    ['state', table.state],
    ['problem', table.problem],
    ['rows', count(table.rows)],
    ['version', table.version],
    ['from', table.provider === 'events' ? 'events, as they arrive' : refreshText(table)],
    ['key', table.primary_key.join(', ')],
    ['defined in', table.file],
    ['current as of', table.refreshed_time && `${table.refreshed_time} (${ago(table.refreshed_time)})`],
    [
      table.refreshed_time ? 'next refresh' : 'first refresh',
      table.next_refresh_time && `${table.next_refresh_time} (${until(table.next_refresh_time)})`,
    ],
  ]
  const versions = table.versions
    .slice(0, LISTED)
    .map((one) => [
      { text: one.version },
      { text: one.since },
      { text: one.until ?? 'in force' },
      { text: one.rows === null ? '-' : count(one.rows), isNumber: true },
      { text: one.changes === null ? '-' : changesText(one.changes) },
      { text: one.is_stored ? (one.stored_bytes === null ? '-' : size(one.stored_bytes)) : 'no longer kept' },
    ])
  const refreshes = table.refreshes
    .slice(0, LISTED)
    .map((one) => [
      { text: one.last_time },
      { text: one.times === 1 ? one.outcome : `${one.outcome} × ${one.times}` },
      { text: one.message ?? passedText(one.passed_over) ?? swapText(one, table.versions) },
    ])
  return [
    bold(io, table.name),
    ...(table.description === '' ? [] : [printable(table.description.trim())]),
    ...facts.flatMap(([label, value]) => (value === null ? [] : [printable(`${`${label}:`.padEnd(15)}${value}`)])),
    ...section(
      'VERSIONS',
      columns(['VERSION', 'SINCE', 'UNTIL', 'ROWS', 'CHANGES', 'STORED'], versions, width),
      table.versions.length,
    ),
    ...section('REFRESHES', columns(['TIME', 'OUTCOME', 'WHAT'], refreshes, width), table.refreshes.length),
  ]
}

function refreshText({ provider, period_minutes: period, alarm_minutes: alarm }: Detail): string {
  return `${provider}, every ${span(period * 60_000)}, stale after ${span(alarm * 60_000)}`
}

function section(title: string, lines: readonly string[], of: number): string[] {
  if (of === 0) return []
  return ['', of > LISTED ? `${title}, the last ${LISTED} of ${count(of)}` : title, ...lines]
}

function passedText(checks: readonly string[]): string | undefined {
  return checks.length === 0 ? undefined : `accepted although ${checks.join('; ')}`
}

/** What a refresh has brought, or where content without a predecessor came from. */
function swapText({ version, changes }: Detail['refreshes'][number], versions: Detail['versions']): string {
  if (changes) return changesText(changes)
  const isShipped = versions.some((one) => one.version === version && one.origin === 'shipped')
  return isShipped ? 'the content beside the definition' : ''
}

function difference(diff: Diff, io: Io): string[] {
  const { before, after, counts, added, removed, changed, worsened } = diff
  const lists: [string, number, readonly Change[], (change: Change) => string][] = [
    ['added', counts.added, added, ({ key, after: row }) => `+ ${key} ${JSON.stringify(row)}`],
    ['removed', counts.removed, removed, ({ key, before: row }) => `- ${key} ${JSON.stringify(row)}`],
    ['changed', counts.changed, changed, ({ key, ...rows }) => `~ ${key} ${changedColumns(rows)}`],
    ['worsened', counts.worsened, worsened, ({ key, ...rows }) => `! ${key} ${changedColumns(rows)}`],
  ]
  return [
    printable(`${before.version} (${before.since}) → ${after.version} (${after.since}): ${changesText(counts)}`),
    ...lists.flatMap(([what, of, list, line]) =>
      list.length === 0
        ? []
        : [
            '',
            bold(io, list.length < of ? `${what}, ${count(list.length)} of ${count(of)}` : what),
            ...list.map((one) => printable(line(one))),
          ],
    ),
  ]
}

/** `score: 10 → 90`, for each column that differs. */
function changedColumns({ before, after }: Pick<Change, 'before' | 'after'>): string {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
  return [...names]
    .flatMap((name) => {
      const [was, is] = [JSON.stringify(before?.[name]), JSON.stringify(after?.[name])]
      return was === is ? [] : [`${name}: ${was ?? '-'} → ${is ?? '-'}`]
    })
    .join(', ')
}

function changesText({ added, removed, changed, worsened }: Diff['counts']): string {
  const worse = worsened > 0 ? ` (${count(worsened)} worse)` : ''
  return `+${count(added)} −${count(removed)} ~${count(changed)}${worse}`
}
