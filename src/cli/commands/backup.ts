import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Command } from 'commander'
import type { z } from 'zod'
import type { backupLine } from '../../api/routes/backups.ts'
import type { Config } from '../../config/config.ts'
import { MANIFEST } from '../../engine/backup/manifest.ts'
import { backUpStopped } from '../../engine/backup/offline.ts'
import { refuseServerState } from '../../engine/backup/server-state.ts'
import { CaracalError, Refused } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { CallFailed, Client } from '../client.ts'
import { readConfig } from '../config.ts'
import type { Io } from '../io.ts'
import { type ServerFlags, withServer } from '../server-options.ts'
import { counted, size, span } from '../style.ts'

type Line = z.output<typeof backupLine>
type Done = Extract<Line, { state: 'done' }>

const HELP = `
FOLDER is a new or empty folder; the running server writes it, as the user it runs as. If the server does not run, this
command copies the data folder itself. The backup contains the API's token, so keep it as safe as the data folder. The
configuration file and your own content are not part of it.

If it fails, or is stopped with Ctrl-C, nothing is left of it. If the machine or the server is killed, the folder
contains the file "unfinished", and \`caracal restore\` refuses it.

Examples:
  caracal backup /backup/caracal-$(date +%F)
  caracal restore /backup/caracal-2027-03-01 --data-dir ./data`

export function registerBackup(program: Command, io: Io): void {
  withServer(
    program
      .command('backup <folder>')
      .summary('back up the data folder, also while Caracal runs')
      .description('Backs up state, lake, tables and what waits for them, consistently, while Caracal runs or not.'),
  )
    .addHelpText('after', HELP)
    .action(async (folder: string, flags: ServerFlags) => {
      const config = readConfig(flags, io)
      const began = performance.now()
      const done = await backUp(resolve(folder), config, io)
      if (flags.json) return io.out(`${JSON.stringify(done)}\n`)
      io.out(
        printable(
          `Backup of ${config.data_dir} in ${done.folder}: ${counted(done.files, 'file')}, ${size(done.bytes)}, in ${span(performance.now() - began)}.`,
        ),
      )
      if (config.lake.type !== 'chdb')
        io.out(" The lake's rows are on their server, and not in it: back that up with ClickHouse's BACKUP.")
      io.out(done.token ? "\nIt contains the API's token: keep it as safe as the data folder.\n" : '\n')
    })
}

async function backUp(folder: string, config: Config, io: Io): Promise<Omit<Done, 'state'>> {
  refuseServerState(config.state.type)
  const ending = new AbortController()
  const forget = io.onInterrupt(() => ending.abort())
  try {
    const made = await backUpStopped(config.data_dir, folder, ending.signal)
    if (!made) return await backUpRunning(folder, config, io, ending.signal)
    const { createdMs, pauseMs, ...finished } = made
    return { created_time: new Date(createdMs).toISOString(), pause_ms: pauseMs, ...finished }
  } catch (error) {
    if (ending.signal.aborted) throw new Refused('the backup was stopped, and nothing is left of it')
    throw error
  } finally {
    forget()
  }
}

async function backUpRunning(folder: string, config: Config, io: Io, signal: AbortSignal): Promise<Omit<Done, 'state'>> {
  const shown = (text: string) => io.isTty && io.err(`\r${text.padEnd(40)}`)
  try {
    const call = { method: 'POST', body: { folder }, accept: 'application/x-ndjson', signal } as const
    const response = await new Client(config).call('/api/v1/backups', call)
    const lines = createInterface({ input: Readable.fromWeb(response.body as never) })
    for await (const text of lines) {
      const line = JSON.parse(text) as Line
      if (line.state === 'copying') shown(`${counted(line.files, 'file')}, ${size(line.bytes)}`)
      else {
        shown('')
        shown('')
        if (line.state === 'failed') throw new CallFailed(`the backup failed: ${line.message}`)
        const { state: _, ...done } = line
        checkVisible(done)
        return done
      }
    }
    throw new CallFailed('the server ended before the backup had finished')
  } catch (error) {
    if (error instanceof CaracalError) throw error
    throw new CallFailed(`the connection to the server was lost, which ends the backup: ${String(error)}`, { cause: error })
  }
}

/** A service, or a container, may see other files under the same path, so that the backup is not where the caller looks for it. */
function checkVisible({ folder, created_time }: Omit<Done, 'state'>): void {
  const file = join(folder, MANIFEST)
  let created: unknown
  try {
    created = (JSON.parse(readFileSync(file, 'utf8')) as { created?: unknown }).created
  } catch (error) {
    // The backup belongs to the server's user, and this one may not be allowed to look into it.
    if (['EACCES', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code))) return
  }
  if (created === created_time) return
  throw new CallFailed(
    `the server reports a backup in ${folder}, but ${file} is not the one it wrote: the server sees other files under that path than this command, as a service does below /tmp and a container almost everywhere. Choose a folder that both see; for a service, \`caracal service install --backups FOLDER\` allows one`,
  )
}
