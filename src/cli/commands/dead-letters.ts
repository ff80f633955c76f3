import type { Command } from 'commander'
import type { z } from 'zod'
import type { deadLetterSchema } from '../../api/routes/dead-letters.ts'
import { printable } from '../../util/terminal.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { bold, faint } from '../style.ts'
import { momentOf } from '../times.ts'
import { choosingLetters, type LetterChoice, registerLetterReplay } from './replay.ts'

type Letter = z.output<typeof deadLetterSchema>

interface ListFlags extends ServerFlags, LetterChoice {
  readonly replayed?: boolean
  readonly limit: string
}

const HELP = `
docs/errors.md explains the reasons. Times: 2024-03-01, 2024-03-01T10:00:00Z, or a span before now: 90m, 24h, 30d.

Examples:
  caracal dead-letters --source web --since 24h
  caracal dead-letters --reason missing_field --json | jq -r .raw > sample.ndjson
  caracal dead-letters replay --source web --reason missing_field --dry-run`

/** Maximum number of characters shown of a record. */
const MAX_EXCERPT = 300

export function registerDeadLetters(program: Command, io: Io): void {
  const letters = program
    .command('dead-letters')
    .summary('records that could not be read, and why')
    .description('Lists records that could not be read, newest first; `dead-letters replay` parses them again after a fix.')
  choosingLetters(
    withServer(
      letters.command('list', { isDefault: true }).description('List dead letters; with --json one per line, with the record.'),
    ),
  )
    .option('--replayed', 'those that a replay has stored or filtered, instead of those that are open')
    .option('--limit <n>', 'maximum number of dead letters to list, up to 200', '20')
    .addHelpText('after', HELP)
    .action(async ({ source, reason, since, replayed, limit, ...flags }: ListFlags) => {
      const query = new URLSearchParams({ limit })
      for (const id of source) query.append('source', id)
      for (const word of reason) query.append('reason', word)
      if (since) query.set('since', momentOf('--since', since))
      if (replayed) query.set('replayed', 'true')
      const { results, next } = await clientOf(flags, io).json<{ results: Letter[]; next: string | null }>(
        `/api/v1/dead-letters?${query}`,
      )
      if (flags.json) return io.out(results.map((letter) => `${JSON.stringify(letter)}\n`).join(''))
      if (results.length === 0) return io.out('No dead letters.\n')
      io.out(`${results.map((letter) => textOf(letter, io)).join('\n\n')}\n`)
      if (next !== null) io.err('There are more: raise --limit, or narrow the choice.\n')
    })
  registerLetterReplay(letters.command('replay'), io)
}

function textOf({ time, source, reason, position, length, message, raw, raw_encoding }: Letter, io: Io): string {
  const excerpt = raw.length > MAX_EXCERPT ? `${raw.slice(0, MAX_EXCERPT)}…` : raw
  const encoding = raw_encoding === 'base64' ? 'base64: ' : ''
  return [
    `${printable(time)}  ${printable(source)}  ${bold(io, reason)}  ${faint(io, `${position}, ${length} bytes`)}`,
    `  ${printable(message)}`,
    `  ${encoding}${printable(excerpt)}`,
  ].join('\n')
}
