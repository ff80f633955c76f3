import type { Engine } from '../engine/engine.ts'
import { processLog } from '../telemetry/log.ts'
import type { Io } from './io.ts'
import { selfCall } from './self.ts'

/**
 * Where to create the first account, for people at a terminal; empty once there is one. A log is read by others and kept, so that it only
 * says how to get the link.
 */
export async function firstUser({ accounts, config }: Engine, url: string, io: Io): Promise<string> {
  if (accounts.users.list().length > 0) return ''
  if (!io.isTty) {
    processLog().info(`Nobody has an account yet: \`${selfCall('users first-link')}\` prints a link to create the first one.`)
    return ''
  }
  const link = await accounts.links.first()
  if (!link) return ''
  return `\nNobody has an account yet. To create yours, open this link within a day; it works once:\n\n    ${config.public_url ?? url}/setup?code=${link.code}\n`
}
