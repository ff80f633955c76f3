import { existsSync, readdirSync } from 'node:fs'
import { quotedForShell } from '../self.ts'
import type { Service } from './service.ts'

/** Shell commands, for root, that create the folders of a service for the user that runs it. */
export function folderSteps({ dataDir, backups, user }: Service): string[] {
  const created = [dataDir, ...backups].map((path) => `install -d -m 700 -o ${user} ${quotedForShell(path)}`)
  // What another user's Caracal has left there would keep the service from starting.
  return isFilled(dataDir) ? [...created, `chown -R ${user} ${quotedForShell(dataDir)}`] : created
}

function isFilled(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0
}
