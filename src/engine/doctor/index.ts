import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '../../config/config.ts'
import { environment } from '../../config/env.ts'
import { DataFolderInUse, lockDataDir } from '../../state/sqlite.ts'
import { packageRoot } from '../../util/entry.ts'
import { backupExamination } from './backups.ts'
import { certificateExamination } from './certificate.ts'
import { clockExamination } from './clock.ts'
import { contentExamination } from './content.ts'
import { databaseExamination } from './databases.ts'
import { diskExamination } from './disk.ts'
import type { Examination } from './examination.ts'
import { folderExamination } from './folder.ts'
import { kafkaSpoolExamination } from './kafka-spool.ts'
import { lakeExamination } from './lake.ts'
import { nodeExamination } from './node.ts'
import { nodesExamination } from './nodes.ts'
import { openFilesExamination, openFilesLimit } from './open-files.ts'
import { portsExamination } from './ports.ts'
import { retentionExamination } from './retention.ts'
import { serverStateExamination } from './server-state.ts'

/** Examinations that need no configuration. To add one: a file in this folder and a line here. */
export function machineExaminations(): Examination[] {
  return [nodeExamination(process.versions.node), openFilesExamination(openFilesLimit())]
}

/** True if a Caracal has the data folder open, whether it answers or not. */
export function isInUse(dataDir: string): boolean {
  // Nothing is created by an examination.
  if (!existsSync(join(dataDir, 'lock'))) return false
  try {
    lockDataDir(dataDir)()
    return false
  } catch (error) {
    return error instanceof DataFolderInUse
  }
}

/** Examinations of what the configuration names. `isRunning`: a Caracal has the data folder open. */
export function examinations(
  config: Config,
  { isRunning, cacheFolder }: { isRunning: boolean; cacheFolder: string },
): Examination[] {
  const { data_dir: dataDir } = config
  return [
    clockExamination({
      nowMs: Date.now(),
      pastMs: [join(packageRoot(), 'package.json'), join(dataDir, 'state.db')].map(writtenMs),
      isSynchronised,
    }),
    diskExamination(dataDir, statfs),
    folderExamination(dataDir, process.getuid?.()),
    portsExamination(config, isRunning),
    certificateExamination(config, environment(), Date.now()),
    config.state.type === 'sqlite' ? databaseExamination(dataDir, 'state') : serverStateExamination(config),
    config.spool.type === 'sqlite' ? databaseExamination(dataDir, 'spool') : kafkaSpoolExamination(config, config.spool),
    ...(config.state.type === 'sqlite' ? [] : [nodesExamination(config)]),
    lakeExamination(config, isRunning),
    retentionExamination(config),
    backupExamination(config, Date.now()),
    contentExamination(config, cacheFolder),
  ]
}

function writtenMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

const SAYS_MS = 5000

/** What systemd says about the clock. */
async function isSynchronised(): Promise<boolean | undefined> {
  try {
    const call = promisify(execFile)('timedatectl', ['show', '--property=NTPSynchronized', '--value'], { timeout: SAYS_MS })
    const { stdout } = await call
    return stdout.trim() === 'yes' ? true : stdout.trim() === 'no' ? false : undefined
  } catch {
    return undefined
  }
}
