import type { Config } from '../config/config.ts'
import { ConfigError } from '../util/errors.ts'
import { missingServers } from './on-servers.ts'

export const ROLES = ['ingest', 'worker', 'api', 'keeper'] as const
export type NodeRole = (typeof ROLES)[number]

/** Those that are one process in this version. */
const TOGETHER: readonly NodeRole[] = ['worker', 'api', 'keeper']

/**
 * What a process does: everything, only receiving, or only judging for the active node.
 *
 * @throws {ConfigError} for a set of roles that this version cannot run, or one for which the configuration is not enough.
 */
export function chosenProgram(roles: readonly NodeRole[], config: Config): 'all' | 'ingest' | 'worker' {
  const has = (role: NodeRole) => roles.includes(role)
  if (roles.length === 0) return 'all'
  if (roles.every((role) => role === 'ingest')) {
    const missing = missingServers(config).filter((key) => !key.startsWith('lake'))
    if (missing.length > 0)
      throw new ConfigError(
        `a node with the role ingest hands on what it receives through servers, and the configuration lacks ${missing.join(' and ')}: see docs/nodes.md`,
      )
    return 'ingest'
  }
  if (roles.every((role) => role === 'worker')) {
    const missing = missingServers(config)
    if (missing.length > 0)
      throw new ConfigError(
        `a node with the role worker judges for the active one of several nodes, which is possible with everything on servers, and the configuration lacks ${missing.join(' and ')}: see docs/nodes.md`,
      )
    return 'worker'
  }
  if (TOGETHER.every(has)) return 'all'
  throw new ConfigError(
    `the roles ${roles.join(', ')} cannot be run: in this version api and keeper are one process, which judges as well. Choose --role ${TOGETHER.join(',')}, which receives as well, --role ingest or --role worker, or leave it out`,
  )
}
