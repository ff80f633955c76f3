import { type Command, InvalidArgumentError } from 'commander'
import type { z } from 'zod'
import type { changeSchema } from '../../api/routes/content.ts'
import type { generationSchema, shownSchema } from '../../api/routes/content-history.ts'
import { MAX_GENERATIONS } from '../../model/content-history.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { userName } from '../self.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted } from '../style.ts'
import { changeText } from './reload.ts'

type Generation = z.output<typeof generationSchema>
type Shown = z.output<typeof shownSchema>
type Undone = z.output<typeof changeSchema> & { readonly undone: number }

const HELP = `
GENERATION is a number from the history, or a hash as stored in p_generation, or a prefix of one.

Examples:
  caracal content history
  caracal content show 12
  caracal content show 12 rules/login.py
  caracal content undo
  caracal content undo 12`

const UNDO_HELP = `
Without GENERATION the last one is undone; an undo can be undone too. Refused if one of the files has changed since, for
shipped packs, and for content from git. If the content would be broken, the files are left unchanged.
Exit code: 1 it was refused, or the content would be broken.`

export function registerContent(program: Command, io: Io): void {
  const content = program
    .command('content')
    .summary('history of content, and undoing changes')
    .description('Shows the history of content and what changed, and undoes changes.')
    .addHelpText('after', HELP)
  withServer(
    content.command('history', { isDefault: true }).description('List generations, newest first; with --json one per line.'),
  )
    .option('--limit <n>', 'maximum number of generations to list', limitOf, 20)
    .action(async (flags: ServerFlags & { readonly limit: number }) => {
      const { results } = await clientOf(flags, io).json<{ results: Generation[] }>(
        `/api/v1/content/history?limit=${flags.limit}`,
      )
      if (flags.json) return io.out(results.map((one) => `${JSON.stringify(one)}\n`).join(''))
      io.out(results.length > 0 ? `${list(results, io).join('\n')}\n` : 'No generations.\n')
    })
  withServer(
    content.command('show <generation> [file]').description('Show what a generation changed, or one file of it.'),
  ).action(async (name: string, file: string | undefined, flags: ServerFlags) => {
    const query = file === undefined ? '' : `?file=${encodeURIComponent(file)}`
    const shown = await clientOf(flags, io).json<Shown>(`/api/v1/content/history/${encodeURIComponent(name)}${query}`)
    io.out(flags.json ? `${JSON.stringify(shown)}\n` : `${show(shown).join('\n')}\n`)
  })
  withServer(content.command('undo [generation]').description('Restore files as they were before a generation, and reload.'))
    .addHelpText('after', UNDO_HELP)
    .action(async (generation: string | undefined, flags: ServerFlags) => {
      const body = { ...(generation !== undefined && { generation }), by: userName() }
      const undone = await clientOf(flags, io).json<Undone>('/api/v1/content/undo', { method: 'POST', body })
      io.out(flags.json ? `${JSON.stringify(undone)}\n` : `Undo of ${undone.undone}. ${changeText(undone)}\n`)
      if (undone.outcome === 'broken') throw new Exit(1)
    })
}

function limitOf(text: string): number {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_GENERATIONS)
    throw new InvalidArgumentError(`It must be a number from 1 to ${MAX_GENERATIONS}.`)
  return limit
}

/** Maximum number of files to list in a line. */
const MAX_NAMED = 3

function list(generations: readonly Generation[], io: Io): string[] {
  const rows = generations.map(({ number, generation, time, cause, by, files }) => [
    { text: String(number), isNumber: true },
    { text: generation },
    { text: time },
    { text: cause },
    { text: by === null ? '-' : printable(by) },
    { text: printable(filesText(files)) },
  ])
  const width = io.isTty ? io.columns : Number.POSITIVE_INFINITY
  return columns(['NUMBER', 'GENERATION', 'TIME', 'CAUSE', 'BY', 'FILES'], rows, width)
}

function filesText(files: Generation['files']): string {
  const names = files.slice(0, MAX_NAMED).map(({ path }) => path)
  if (files.length > MAX_NAMED) names.push(`… ${counted(files.length, 'file')}`)
  return names.join(', ') || '-'
}

function show({ number, generation, time, cause, by, commits, files }: Shown): string[] {
  const lines = [printable(`Generation ${number} (${generation}), ${time}, by ${cause}${by === null ? '' : `: ${by}`}`)]
  for (const [name, commit] of Object.entries(commits)) lines.push(printable(`${name} at ${commit}`))
  for (const { root, path, change, diff } of files) {
    lines.push('', printable(`${change} ${root}/${path}`))
    if (diff === null) lines.push('(its text is not stored, or the output would be too long: name the file)')
    else
      lines.push(
        ...diff
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => line.split('\t').map(printable).join('\t')),
      )
  }
  return lines
}
