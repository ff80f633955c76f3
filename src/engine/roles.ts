import type { Config } from '../config/config.ts'
import { ConfigError } from '../util/errors.ts'
import { missingServers } from './on-servers.ts'

export const ROLES = ['ingest', 'worker', 'api', 'keeper'] as const
export type NodeRole = (typeof ROLES)[number]

/** Those that are one process in this version: a node that can be active. */
const TOGETHER: readonly NodeRole[] = ['api', 'keeper']

/** A node that receives, and may have the role api as well. */
export type IngestRoles = 'ingest' | 'ingest,api'
type Program = 'all' | 'keeper' | IngestRoles | 'worker' | 'api'

/** What nodes that are never active need on servers, and for what. */
const NEEDED: Readonly<Record<Exclude<Program, 'all'>, { readonly keys: RegExp; readonly because: string }>> = {
  ingest: { keys: /^(?:state|spool)/, because: 'hands on what it receives through servers' },
  worker: {
    keys: /^/,
    because: 'judges for the active one of several nodes, which is possible with everything on servers',
  },
  keeper: { keys: /^/, because: 'leaves judging to workers, which is possible with everything on servers' },
  api: { keys: /^state/, because: 'finds the active one in the state, on a server' },
  'ingest,api': { keys: /^(?:state|spool)/, because: 'hands on what it receives through servers' },
}

/**
 * What a process does: everything; the same but for judging, as long as workers do that (`keeper`); or only receiving, judging for the active node, or
 * forwarding to it.
 *
 * @throws {ConfigError} for a set of roles that this version cannot run, or one for which the configuration is not enough.
 */
export function chosenProgram(roles: readonly NodeRole[], config: Config): Program {
  if (roles.length === 0) return 'all'
  const isKeeper = TOGETHER.every((role) => roles.includes(role))
  if (isKeeper && roles.includes('worker')) return 'all'
  const named = isKeeper ? 'keeper' : ROLES.filter((role) => roles.includes(role)).join()
  if (!isAlone(named) || (named === 'keeper' && !isKeeper))
    throw new ConfigError(
      `the roles ${roles.join(', ')} cannot be run: in this version keeper is one process with api. Choose --role worker,api,keeper or --role api,keeper, which receive as well, --role ingest, --role worker, --role api or --role ingest,api, or leave it out`,
    )
  const { keys, because } = NEEDED[named]
  const missing = missingServers(config).filter((key) => keys.test(key))
  if (missing.length > 0)
    throw new ConfigError(
      `a node with the role ${named} ${because}, and the configuration lacks ${missing.join(' and ')}: see docs/nodes.md`,
    )
  return named
}

function isAlone(roles: string): roles is keyof typeof NEEDED {
  return Object.hasOwn(NEEDED, roles)
}
