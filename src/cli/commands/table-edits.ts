import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Command } from 'commander'
import type { z } from 'zod'
import type { tableChangeSchema } from '../../api/table-change-view.ts'
import { messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { collect } from '../config.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count } from '../style.ts'

type Change = z.output<typeof tableChangeSchema>

interface EditFlags extends ServerFlags {
  readonly accept?: boolean
  readonly dryRun?: boolean
  readonly message?: string
}

interface CreateFlags extends EditFlags {
  readonly key?: readonly string[]
  readonly match?: string
  readonly on?: readonly string[]
  readonly description?: string
}

const EDIT_HELP = `
The rows of a table can be changed if they are in a file of a content folder (\`Filename\` in its definition). A table of the shipped packs
is copied into your content folder first. Content is read as the table would read it before anything is written.

Examples:
  caracal tables upload assets assets.csv --dry-run
  caracal tables upload assets assets.csv --message "New offices"
  caracal tables create vip_users users.csv --key user --on Custom.Auth=user
  caracal tables set allowed_ports port=8443 note="admin page"
  caracal tables remove allowed_ports 8443`

/** Commands that change the content of tables in the running server. */
export function registerTableEdits(tables: Command, io: Io): void {
  withEdits(
    tables
      .command('upload <name> <file>')
      .description("Put a file's rows in the place of those of a table: CSV or JSON lines, also compressed.")
      .option('--accept', 'accept rows that change the table by more than its checks allow'),
  )
    .addHelpText('after', EDIT_HELP)
    .action((name: string, file: string, flags: EditFlags) => {
      const body = { content_base64: contentOf(file), ...(flags.accept && { accept: true }), ...shared(flags) }
      return change('PUT', `/api/v1/tables/${encodeURIComponent(name)}/content`, body, name, flags, io)
    })
  withEdits(
    tables
      .command('create <name> <file>')
      .description('Write a new table with the rows of a file.')
      .option('--key <column>', 'a column of the key; can be repeated (default: the first column)', collect)
      .option('--match <kind>', 'how keys are compared: exact, ignore_case, ip, cidr, port, domain, glob')
      .option('--on <log-type=field>', 'which events get rows, by which fields (a comma between them); can be repeated', collect)
      .option('--description <text>', 'what the table is'),
  ).action((name: string, file: string, flags: CreateFlags) => {
    const { key, match, description, on = [] } = flags
    const about = { ...(key && { primary_key: key }), ...(match && { match }), ...(description && { description }) }
    const body = { name, content_base64: contentOf(file), ...about, log_types: on.map(associationOf), ...shared(flags) }
    return change('POST', '/api/v1/tables', body, name, flags, io)
  })
  withEdits(
    tables.command('set <name> <column=value...>').description('Write one row: in the place of the row with its key, or added.'),
  ).action((name: string, cells: readonly string[], flags: EditFlags) => {
    const row = Object.fromEntries(cells.map(cellOf))
    return change(
      'PATCH',
      `/api/v1/tables/${encodeURIComponent(name)}/content`,
      { set: [row], ...shared(flags) },
      name,
      flags,
      io,
    )
  })
  withEdits(
    tables.command('remove <name> <key...>').description('Remove the row with this key; of a composite key, give each part.'),
  ).action((name: string, key: readonly string[], flags: EditFlags) => {
    const body = { remove: [key], ...shared(flags) }
    return change('PATCH', `/api/v1/tables/${encodeURIComponent(name)}/content`, body, name, flags, io)
  })
}

function withEdits(command: Command): Command {
  return withServer(
    command
      .option('--dry-run', 'write nothing, and say what would change')
      .option('--message <text>', 'message of the commit, if the content folder is a git repository'),
  )
}

function shared({ dryRun, message }: EditFlags): object {
  return { ...(dryRun && { dry_run: true }), ...(message !== undefined && { message }) }
}

async function change(
  method: 'PUT' | 'POST' | 'PATCH',
  path: string,
  body: object,
  name: string,
  flags: EditFlags,
  io: Io,
): Promise<void> {
  const made = await clientOf(flags, io).json<Change>(path, { method, body })
  if (flags.json) return io.out(`${JSON.stringify(made)}\n`)
  const { counts, rows, skipped, skipped_because: because, passed_over: passedOver, written } = made
  const differences = `${count(counts.added)} added, ${count(counts.removed)} removed, ${count(counts.changed)} changed`
  const verb = written ? 'has' : 'would have'
  io.out(
    printable(`Table '${name}' ${verb} ${count(rows)} ${rows === 1 ? 'row' : 'rows'}: ${differences}. Version ${made.version}.`),
  )
  io.out('\n')
  if (skipped > 0) io.err(`${printable(`${count(skipped)} rows cannot be used: ${because.join('; ')}`)}\n`)
  for (const check of passedOver) io.err(`${printable(`Accepted although ${check}`)}\n`)
  for (const file of written?.files ?? []) io.out(`${printable(`Wrote ${file}`)}\n`)
  if (written?.commit) io.out(`Commit ${written.commit}\n`)
  if (written?.commit_problem) io.err(`${printable(`Not committed: ${written.commit_problem}`)}\n`)
}

/** Compressed, so that long files fit into one call. */
function contentOf(file: string): string {
  try {
    const bytes = readFileSync(file)
    const isPacked = bytes[0] === 0x1f || bytes[0] === 0x28 || bytes[0] === 0x50
    return (isPacked ? bytes : gzipSync(bytes)).toString('base64')
  } catch (error) {
    throw new UsageError(`the file ${file} cannot be read: ${messageOf(error)}`)
  }
}

function cellOf(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`'${text}' is not a column with its value, as in port=8443`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function associationOf(text: string): object {
  const [logType, fields] = cellOf(text)
  return { log_type: logType, selectors: fields.split(',').filter((field) => field !== '') }
}
