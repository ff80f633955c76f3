import { z } from 'zod'
import { isLoopback } from '../../../util/loopback.ts'

/** The URL of the HTTP interface of a server, without user, password and parameters. */
export const serverUrl = z
  .url({ protocol: /^https?$/, error: 'the https:// (or http://) URL of the HTTP interface of ClickHouse', abort: true })
  .refine((text) => !/[?#]|^[^/]*\/\/[^/]*@/.test(text), 'a URL without user, password and parameters')

/** What tables are called in ClickHouse Keeper: texts of the servers' macros. */
const keeperText = z.string().regex(/^[\w/{}.-]{1,200}$/, "letters, digits, '_', '/', '.', '-' and macros in braces")

/** The block `cluster` of a lake on ClickHouse. */
export const clusterSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][\w-]{0,99}$/, 'the name of a cluster in remote_servers')
    .describe('Name of the cluster in the configuration of its servers (`remote_servers`).'),
  nodes: z
    .array(serverUrl)
    .min(1)
    .max(100)
    .describe(
      'URL of the HTTP interface of every server of the cluster, all replicas of all shards. `url` is one of them: the one that answers queries and passes rows on.',
    ),
  replicated: z
    .boolean()
    .default(false)
    .describe(
      'Create tables as ReplicatedMergeTree. The servers need ClickHouse Keeper, and macros for the two keys that follow.',
    ),
  replica_path: keeperText
    .default('/clickhouse/tables/{shard}/{database}/{table}')
    .describe(
      'Path of a replicated table in Keeper; `{database}` and `{table}` are filled in, the rest are macros of the servers.',
    ),
  replica_name: keeperText.default('{replica}').describe('Name of a replica of a replicated table.'),
})

export type ClusterConfig = z.output<typeof clusterSchema>

interface Addresses {
  readonly url: string
  readonly allow_http: boolean
  readonly cluster?: ClusterConfig | undefined
}

/** What is wrong with the addresses of a lake's servers: the key, and why. */
export interface AddressProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Passwords do not go over plain HTTP to another machine unless that is allowed, and the servers of a cluster have to be complete. */
export function addressProblem({ url, allow_http, cluster }: Addresses): AddressProblem | undefined {
  if (isPlain(url) && !allow_http) return { path: ['url'], message: PLAIN }
  if (!cluster) return undefined
  const plain = cluster.nodes.findIndex(isPlain)
  if (plain !== -1 && !allow_http) return { path: ['cluster', 'nodes', plain], message: PLAIN }
  const nodes = cluster.nodes.map(bare)
  const twice = nodes.findIndex((node, at) => nodes.indexOf(node) !== at)
  if (twice !== -1) return { path: ['cluster', 'nodes', twice], message: 'this server is listed twice' }
  if (!nodes.includes(bare(url)))
    return { path: ['cluster', 'nodes'], message: `lake.url, ${url}, is not among them: list every server of the cluster` }
  const { replica_path: path } = cluster
  if (cluster.replicated && !(path.includes('{table}') && path.includes('{database}')))
    return {
      path: ['cluster', 'replica_path'],
      message: 'the path needs {database} and {table}, so that every table has its own',
    }
  return undefined
}

/** A URL as `ServerClient` has it. */
export function bare(url: string): string {
  return url.replace(/\/+$/, '')
}

const PLAIN =
  'passwords and rows are only sent to another machine over https://; `allow_http: true` allows http:// in a network in which nobody can listen'

function isPlain(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol !== 'https:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))
}
