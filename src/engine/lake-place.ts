import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { StorageError } from '../util/errors.ts'

type Placed = Pick<Config, 'data_dir'> & { readonly lake: Pick<Config['lake'], 'type'> }

/** What the folder of a lake is called once its rows are on a server: followed by a date. */
export const MOVED_LAKE = 'lake.migrated-'

/** Whether the data folder has a lake. */
export function hasLake({ data_dir }: Pick<Config, 'data_dir'>): boolean {
  return existsSync(join(data_dir, 'lake'))
}

/** The folder of a lake whose rows were moved to a server; `undefined`: none was. */
export function movedLake({ data_dir }: Pick<Config, 'data_dir'>): string | undefined {
  if (!existsSync(data_dir)) return undefined
  return readdirSync(data_dir).find((name) => name.startsWith(MOVED_LAKE))
}

/** Throws `StorageError` if the rows of the data folder are in another lake than the configured one, which would begin without them. */
export function refuseOtherLake(config: Placed): void {
  const { data_dir: dataDir, lake } = config
  if (lake.type !== 'chdb' && hasLake(config))
    throw new StorageError(
      `The data folder ${dataDir} has a lake (in its folder 'lake'), and the configuration names a server. Run \`caracal migrate\`, which moves the rows there; or rename that folder, to begin with an empty lake.`,
    )
  const moved = movedLake(config)
  if (lake.type === 'chdb' && moved !== undefined && !hasLake(config))
    throw new StorageError(
      `The lake of the data folder ${dataDir} was moved to a server, and the configuration does not name one. Set \`lake\` as it was; or rename '${moved}' to 'lake', to go on with the rows of that time.`,
    )
}
