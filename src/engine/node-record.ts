import { hostname } from 'node:os'
import { type Config, publicUrl } from '../config/config.ts'
import { nodeName } from '../config/node.ts'
import { NodeRecord, type NodeRecordOptions } from '../state/postgres/node-record.ts'
import type { PostgresPlace } from '../state/postgres/place.ts'
import { version } from '../util/version.ts'

/** What records this node in the state. It begins with `start`. */
export function nodeRecord(
  config: Config,
  place: PostgresPlace,
  { roles, onTrouble }: Pick<NodeRecordOptions, 'roles' | 'onTrouble'>,
): NodeRecord {
  // Not where people reach Caracal, which is the same for all nodes.
  const listen = config.listen.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, hostname())
  const address = publicUrl({ listen, tls: config.tls, public_url: undefined })
  return new NodeRecord(place, { node: nodeName(config), version: version(), address, roles, onTrouble })
}
