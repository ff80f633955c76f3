import type { Command } from 'commander'
import type { z } from 'zod'
import type { changeSchema, reloadedSchema } from '../../api/routes/content.ts'
import { printable } from '../../util/terminal.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { userName } from '../self.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'

type Change = z.output<typeof changeSchema>
type Reloaded = z.output<typeof reloadedSchema>

const HELP = `
Exit code: 1 the content is broken, or a repository cannot be updated; the previous content stays in force.

Example:
  caracal reload`

export function registerReload(program: Command, io: Io): void {
  withServer(
    program
      .command('reload')
      .summary('apply changed content')
      .description('Pulls content from git, rereads the content folders and applies changes without a restart.'),
  )
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags) => {
      const change = await clientOf(flags, io).json<Reloaded>(`/api/v1/content/reload?by=${encodeURIComponent(userName())}`, {
        method: 'POST',
      })
      io.out(flags.json ? `${JSON.stringify(change)}\n` : `${changeText(change)}\n`)
      const stale = change.pulls.filter(({ problem }) => problem !== null)
      for (const { problem } of stale) io.err(`caracal: ${printable(problem!)}\n`)
      if (change.outcome === 'broken' || stale.length > 0) throw new Exit(1)
    })
}

/** Describes the outcome of a content change. */
export function changeText({ outcome, generation, summary, pause_ms, problems }: Change): string {
  if (outcome === 'swapped') return printable(`Generation ${generation}: ${summary}, processing paused for ${pause_ms} ms`)
  if (outcome === 'unchanged') return `Generation ${generation}: nothing changed`
  const lines = problems.map(({ file, message }) => printable(`${file}: ${message}`))
  return ['The content is broken; the previous content stays in force:', ...lines].join('\n')
}
