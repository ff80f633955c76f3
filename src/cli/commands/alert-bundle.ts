import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { messageOf } from '../../util/errors.ts'
import { sha256 } from '../../util/hash.ts'
import { printable } from '../../util/terminal.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { self } from '../self.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { counted } from '../style.ts'

interface Flags extends ServerFlags {
  readonly out?: string
}

const HELP = `
The file has the first 20 matches of the alert: records, events, rows of tables, and the rule and its helpers as they were then.
\`caracal run --bundle FILE\` decides them again on any machine, without a server. docs/bundles.md describes the file.`

export function registerAlertBundle(alerts: Command, io: Io): void {
  withServer(alerts.command('bundle <id>').description('Write an alert with everything that decided it into one file.'))
    .option('--out <file>', 'the file to write (default: caracal-alert-ID.tar in the working folder)')
    .addHelpText('after', HELP)
    .action(async (id: string, { out, ...flags }: Flags) => {
      const response = await clientOf(flags, io).call(`/api/v1/alerts/${encodeURIComponent(id)}/bundle`, {
        accept: 'application/x-tar',
      })
      const bytes = new Uint8Array(await response.arrayBuffer())
      const file =
        out ?? /filename="([\w.-]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'caracal-alert.tar'
      try {
        writeFileSync(file, bytes)
      } catch (error) {
        throw new UsageError(`the bundle cannot be written to ${file}: ${messageOf(error)}`)
      }
      const hash = sha256(bytes)
      if (flags.json) return io.out(`${JSON.stringify({ file, bytes: bytes.length, sha256: hash })}\n`)
      io.out(`Wrote ${printable(file)}, ${counted(bytes.length, 'byte')}, SHA-256 ${hash}.\n`)
      io.out(`To decide it again: ${self()} run --bundle ${printable(file)}\n`)
    })
}
