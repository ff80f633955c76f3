import { resolve } from 'node:path'
import type { Command } from 'commander'
import { openBackup, restoreBackup } from '../../engine/backup/restore.ts'
import { refuseServerState } from '../../engine/backup/server-state.ts'
import { printable } from '../../util/terminal.ts'
import { type ConfigOptions, configOption, dataDirOption, readConfig } from '../config.ts'
import type { Io } from '../io.ts'
import { counted, size, span } from '../style.ts'

const HELP = `
The data folder must be empty, and no server may run on it. Every file is compared with the hash that the backup has of
it. If one is damaged, nothing is restored. A backup of an older version is migrated at the next start; one of a newer
version is refused.

What was received after the backup is only read again from sources that still have it: files, buckets, queues.

Example:
  caracal restore /backup/caracal-2027-03-01 --data-dir ./data`

export function registerRestore(program: Command, io: Io): void {
  program
    .command('restore <folder>')
    .summary('restore a backup into an empty data folder')
    .description('Restores a backup into an empty data folder.')
    .option('--json', 'for programs: JSON')
    .addOption(configOption())
    .addOption(dataDirOption())
    .addHelpText('after', HELP)
    .action(async (given: string, flags: ConfigOptions & { readonly json?: boolean }) => {
      const folder = resolve(given)
      const { data_dir: dataDir, state } = readConfig(flags, io)
      refuseServerState(state.type)
      const began = performance.now()
      const manifest = await openBackup(folder)
      await restoreBackup(folder, manifest, dataDir)
      const { files, created, program: by, token } = manifest
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
      if (flags.json) {
        io.out(`${JSON.stringify({ folder, data_dir: dataDir, created_time: created, files: files.length, bytes, token })}\n`)
        return
      }
      io.out(
        printable(
          `Restored the backup of ${created}, made by Caracal ${by}, to ${dataDir}: ${counted(files.length, 'file')}, ${size(bytes)}, in ${span(performance.now() - began)}.`,
        ),
      )
      io.out(
        '\nStart Caracal with this data folder. Stop the one that the backup was made of first, or both send the same alerts.\n',
      )
    })
}
