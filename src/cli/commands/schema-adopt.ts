import type { Command } from 'commander'
import type { z } from 'zod'
import type { editedSchema } from '../../api/edited-view.ts'
import type { previewSchema, proposalSchema } from '../../api/routes/unknown-fields.ts'
import { printable } from '../../util/terminal.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { changeText } from './reload.ts'

const HELP = `
Fields that stored events have and the schema does not become part of its file, with types that fit the newest 1,000 events with such
fields. Without FIELDS, all of them. Tests in the file next to the schema run first, and must pass. A schema that is shipped is written as a
copy in your content folder.

Examples:
  caracal schema adopt Custom.Door --dry-run       what would change
  caracal schema adopt Custom.Door battery floor`

interface Flags extends ServerFlags {
  readonly dryRun?: boolean
}

type Proposal = z.output<typeof proposalSchema>
type Preview = z.output<typeof previewSchema>
type Saved = z.output<typeof editedSchema>

/** `schema adopt`: works with the running server. */
export function registerSchemaAdopt(schema: Command, io: Io): void {
  withServer(
    schema.command('adopt <log-type> [fields...]').description('Add fields to a schema that stored events have and it does not.'),
  )
    .option('--dry-run', 'show what would change, and write nothing')
    .addHelpText('after', HELP)
    .action(async (logType: string, named: readonly string[], flags: Flags) => {
      const client = clientOf(flags, io)
      const path = `/api/v1/schemas/${encodeURIComponent(logType)}`
      const fields = named.length > 0 ? named : await proposed(`${path}/unknown-fields`, client, io)
      if (fields.length === 0)
        return io.out(flags.json ? '{"fields":[]}\n' : `Nothing to adopt: events have no unknown fields.\n`)
      const preview = await client.json<Preview>(`${path}/unknown-fields`, { method: 'POST', body: { fields } })
      const diff = preview.diff.split('\n').map(printable).join('\n')
      if (flags.dryRun) return io.out(flags.json ? `${JSON.stringify({ fields, ...preview })}\n` : diff)
      const body = { yaml: preview.yaml, revision: preview.revision, message: `Adopt ${fields.join(', ')}`.slice(0, 1000) }
      const saved = await client.json<Saved>(path, { method: 'PUT', body })
      if (flags.json) return io.out(`${JSON.stringify({ fields, ...saved })}\n`)
      io.out(`${diff}${saved.files.join(', ')}. ${changeText(saved)}\n`)
    })
}

async function proposed(path: string, client: ReturnType<typeof clientOf>, io: Io): Promise<string[]> {
  const { fields, notes } = await client.json<Proposal>(path)
  for (const note of notes) io.err(`note: ${printable(note)}\n`)
  return fields.map(({ name }) => name)
}
