import type { Command } from 'commander'
import { printable } from '../../util/terminal.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted } from '../style.ts'

const HELP = `
With two files: what the second changes, and what that means for rows in the lake. With one: the fields that stored events have and the
schema does not, from the running server, as lines for the schema. It looks at the newest 1000 events with such fields.

Example:
  caracal schema diff content/door.yml content/door-2.yml`

/** `schema diff`. Only the form with one file needs a server. */
export function registerSchemaDiff(schema: Command, io: Io): void {
  withServer(
    schema.command('diff <schema> [other]').description('Compare a schema with another version, or with what events have.'),
  )
    .addHelpText('after', HELP)
    .action(async (file: string, other: string | undefined, flags: ServerFlags) => {
      const { readSpec } = await import('../../packs/read-schema.ts')
      const before = await readSpec(file)
      if (other === undefined) {
        const { discovered } = await import('../discovered-fields.ts')
        const { events, stored, fields, yaml } = await discovered(clientOf(flags, io), before.name)
        if (flags.json) {
          io.out(`${JSON.stringify({ events, stored, fields })}\n`)
          return
        }
        if (yaml === '') io.err(`${counted(events, 'event')} of ${before.name} with unknown fields: nothing to add\n`)
        else {
          const when = stored ? `, stored from ${stored[0]} to ${stored[1]}` : ''
          io.err(`from the newest ${counted(events, 'event')} of ${before.name} with fields that are not in the schema${when}:\n`)
        }
        io.out(yaml)
        return
      }
      const { schemaDiff } = await import('../../packs/schema-diff.ts')
      const lines = schemaDiff(before, await readSpec(other))
      if (flags.json) io.out(`${JSON.stringify({ differences: lines })}\n`)
      else io.out(lines.length === 0 ? 'no difference\n' : lines.map((line) => `${printable(line)}\n`).join(''))
    })
}
