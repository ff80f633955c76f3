import { existsSync, readdirSync } from 'node:fs'
import { quotedForShell } from '../self.ts'
import type { Service } from './service.ts'

/** Shell commands, for root, that create the folders of a service for the user that runs it. */
export function folderSteps({ dataDir, backups, user }: Service): string[] {
  const folder = (path: string) => `install -d -m 700 -o ${user} ${quotedForShell(path)}`
  // A folder for backups that exists may be shared with others: its owner and mode are not ours to change.
  const forBackups = backups.map((path) =>
    existsSync(path) ? `sudo -u ${user} test -w ${quotedForShell(path)} || echo ${user} cannot write to it` : folder(path),
  )
  const created = [folder(dataDir), ...forBackups]
  // What another user's Caracal has left there would keep the service from starting.
  return isFilled(dataDir) ? [...created, `chown -R ${user} ${quotedForShell(dataDir)}`] : created
}

function isFilled(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0
}
