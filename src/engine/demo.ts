import { join } from 'node:path'
import { type Config, configSchema, type SourceConfig } from '../config/config.ts'
import { isLocal } from '../stages/deliver/index.ts'
import { getMeta } from '../state/sources.ts'
import type { Log } from '../telemetry/log.ts'
import { packageRoot } from '../util/entry.ts'
import { hasState, viewState } from './state-place.ts'

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

/** Whether the sample is processed now, and its status before that. */
export async function demoNow(
  { data_dir, state, destinations }: Pick<Config, 'data_dir' | 'state' | 'destinations'>,
  isWanted: boolean,
  log: Log,
): Promise<{ readonly before: string | undefined; readonly isDemo: boolean }> {
  const before = await demoState({ data_dir, state })
  const isDue = before === 'running' || (before === undefined && isWanted)
  // The sample must not page anyone: its alerts are only sent if every alert stays on this machine.
  const elsewhere = destinations.filter((destination) => !isLocal(destination)).map(({ id }) => id)
  if (isDue && elsewhere.length > 0)
    log.info(
      `The demo is skipped, so that none of its alerts go to ${elsewhere.join(', ')}. It only runs if alerts go to stdout alone.`,
    )
  return { before, isDemo: isDue && elsewhere.length === 0 }
}

/** The sample's status in a data folder: `undefined` on a first start. */
async function demoState(config: Pick<Config, 'data_dir' | 'state'>): Promise<string | undefined> {
  if (!hasState(config)) return undefined
  const state = viewState(config)
  try {
    return (await getMeta(state, DEMO_KEY)) ?? 'skipped'
  } finally {
    await state.destroy()
  }
}
