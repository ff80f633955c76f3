import type { z } from 'zod'
import type { Config } from '../config/config.ts'
import { environment, resolveSecret } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { lakes } from '../stages/store/index.ts'
import type { Brought, Lake, LakeDefinition, LakeDeps, LateLake } from '../stages/store/lake.ts'
import type { Log } from '../telemetry/log.ts'
import { find } from '../util/define.ts'
import { usualAuthorities } from '../util/http/http.ts'
import type { Events } from './events.ts'
import { refuseOtherLake } from './lake-place.ts'

/**
 * Opens the configured lake. On a server that is away and was used before, it is opened later, and rows wait. Rejects with `StorageError` if
 * it cannot be used, or is not that of the data folder.
 */
export async function openLake(config: Config, events: Events, log: Log): Promise<Lake> {
  refuseOtherLake(config)
  const lake = await openConfiguredLake(config, (problems) => events.problems.report('lake', problems), {
    onOpened: (brought) => logLayouts(brought, log),
    onRefused: (error) => events.setFailed(error),
  })
  logLayouts(await lake.ready(), log)
  return lake
}

/** Opens the configured lake, whatever the data folder has. */
export function openConfiguredLake(config: Config, onProblems: LakeDeps['onProblems'], late?: LateLake): Promise<Lake> {
  const { lake, data_dir, query_timeout_ms, query_max_rows } = config
  const definition = find('lake', lakes, lake.type) as unknown as LakeDefinition<string, z.ZodRawShape>
  return definition.create(lake, {
    dataDir: data_dir,
    maxQueryMs: query_timeout_ms,
    maxRows: query_max_rows,
    onProblems,
    secret: (reference) => resolveSecret(reference),
    trusted: trustedAuthorities(config),
    ...(late && { late }),
  })
}

/** The authorities to trust in connections to the lake. */
export function trustedAuthorities({ http }: Config): { readonly ca?: string[] } {
  const { ca } = httpSettings(http, environment())
  return ca === undefined ? {} : { ca: [...usualAuthorities(), ca] }
}

/** Reports the tables that were migrated to the current layout. */
function logLayouts(brought: readonly Brought[], log: Log): void {
  for (const { table, rowsBefore, rowsAfter } of brought)
    log.info(
      { table, rowsBefore, rowsAfter },
      `Lake table ${table} was migrated to the current layout: ${rowsBefore} rows before, ${rowsAfter} after.`,
    )
}
