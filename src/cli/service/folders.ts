import { quotedForShell } from '../self.ts'
import type { Service } from './service.ts'

/** Shell commands, for root, that create the folders of a service for the user that runs it. */
export function folderSteps({ dataDir, backups, user }: Service): string[] {
  return [dataDir, ...backups].map((path) => `install -d -m 700 -o ${user} ${quotedForShell(path)}`)
}
