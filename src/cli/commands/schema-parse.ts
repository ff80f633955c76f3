import type { Command } from 'commander'
import { stringifyJson } from '../../util/json.ts'
import { printable } from '../../util/terminal.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { count, counted } from '../style.ts'

const HELP = `
Prints events as JSON lines; refused records, with the reason, and the totals go to stderr.
Exit code: 0 every record was read; 1 some were refused; 2 usage, or the schema cannot be used.

Example:
  caracal schema parse content/door.yml door.log`

/** `schema parse`: works without a server. */
export function registerSchemaParse(schema: Command, io: Io): void {
  schema
    .command('parse <schema> [files...]')
    .description('Read sample logs with a schema file and print the events; without files, standard input.')
    .addHelpText('after', HELP)
    .action(async (file: string, files: string[]) => {
      const { parseWith } = await import('../../packs/infer/parse-with.ts')
      const { readSchema } = await import('../../packs/read-schema.ts')
      const { sampleOf } = await import('../schema-sample.ts')
      const compiled = await readSchema(file)
      const { received, events, deadLetters, unknown } = parseWith(compiled, await sampleOf(files, io))
      for (const event of events) await io.write(`${stringifyJson(event)}\n`)
      for (const { reason, message, raw } of deadLetters) {
        io.err(`${printable(`${reason}: ${message}`)}\n  ${shortened(Buffer.from(raw).toString())}\n`)
      }
      const names = [...unknown].slice(0, 10).map(([name, n]) => `${name} (${count(n)})`)
      if (names.length > 0) io.err(`${printable(`not in the schema: ${names.join(', ')}`)}${unknown.size > 10 ? ' …' : ''}\n`)
      io.err(`${counted(received, 'record')}, ${counted(events.length, 'event')}, ${count(deadLetters.length)} refused\n`)
      if (deadLetters.length > 0) throw new Exit(1)
    })
}

function shortened(raw: string): string {
  return printable(raw.length > 200 ? `${raw.slice(0, 200)}…` : raw)
}
