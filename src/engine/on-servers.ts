import type { Config } from '../config/config.ts'

type Placed = Pick<Config, 'state'> & { readonly lake: Pick<Config['lake'], 'type'>; readonly spool?: { readonly type: string } }

/**
 * Whether everything that matters is on servers: then the data folder has only what can be fetched again, and another process with another
 * folder may take over.
 */
export function isOnServers(config: Placed): boolean {
  return missingServers(config).length === 0
}

/** The keys of the configuration that name no server yet, with what they would have to say. */
export function missingServers({ state, lake, spool }: Placed): string[] {
  return [
    ...(state.type === 'postgres' ? [] : ['state: {type: postgres}']),
    ...(lake.type === 'clickhouse' ? [] : ['lake: {type: clickhouse}']),
    ...(spool?.type === 'kafka' ? [] : ['spool: {type: kafka}']),
  ]
}
