import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema, type SourceConfig } from '../config/config.ts'
import { readState } from '../state/db.ts'
import { getMeta } from '../state/sources.ts'
import { packageRoot } from '../util/entry.ts'

export const DEMO_SOURCE = 'demo'
/** The sample's status in state: `running` until all of it is committed, then `done`; `skipped` with --no-demo. */
export const DEMO_KEY = 'demo'

/**
 * The bundled sample as a source: one day of a web server's log, 15 May 2023, judged with the Tor list of that day, whatever the current
 * list is.
 */
export function demoSource(): SourceConfig {
  const packs = join(packageRoot(), 'packs')
  return configSchema.parse({
    sources: [
      {
        type: 'file',
        id: DEMO_SOURCE,
        label: DEMO_SOURCE,
        paths: [join(packs, 'demo/samples/*.{log,ndjson}')],
        idle_ms: 0,
        tables: { tor_exit_nodes: join(packs, 'tor/samples/tor_exit_nodes.2023-05-15.txt') },
      },
    ],
  }).sources[0]!
}

/** The sample's status in a data folder: `undefined` on a first start. */
export async function demoState(dataDir: string): Promise<string | undefined> {
  if (!existsSync(join(dataDir, 'state.db'))) return undefined
  const state = readState(dataDir)
  try {
    return (await getMeta(state, DEMO_KEY)) ?? 'skipped'
  } finally {
    await state.destroy()
  }
}
