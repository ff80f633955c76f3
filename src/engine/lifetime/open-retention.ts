import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { resolveSecret } from '../../config/env.ts'
import type { Restore, RestoreAsk } from '../../model/archive.ts'
import type { RetentionView } from '../../model/retention.ts'
import { Order } from '../../pipeline/order.ts'
import type { Lake } from '../../stages/store/lake.ts'
import { heldAlertIds } from '../../state/holds.ts'
import { getMeta } from '../../state/sources.ts'
import { Refused, StorageError } from '../../util/errors.ts'
import { Archiver } from '../archive/archiver.ts'
import { type ArchivedDays, type ArchiveFilter, ArchiveListing } from '../archive/listing.ts'
import { openPlace } from '../archive/open-place.ts'
import { Restores } from '../archive/restores.ts'
import { lowBytes } from '../checks/disk.ts'
import type { PartsDeps } from '../start-parts.ts'
import { keptLogTypes } from './kept.ts'
import { Lifetime } from './lifetime.ts'
import { RETENTION_KEY, readRecord, withRun } from './retention-log.ts'

const RESTORES_KEY = 'restores'
const LIST_MS = 60_000

/** What can be asked of retention and its archive. */
export interface RetentionCalls {
  /** How long data is kept, and what retention does about it. */
  retention(): Promise<RetentionView>
  /** What is archived. Rejects with `Refused` if there is no archive, and as the place does. */
  archived(filter: ArchiveFilter): Promise<ArchivedDays & { readonly place: string }>
  /** Begins to load archived rows into the lake. Rejects with `Refused` and `StorageError`. */
  restoreArchived(ask: RestoreAsk): Promise<Restore>
  /** What was restored, newest first. */
  restores(): readonly Restore[]
}

export interface OpenRetention {
  readonly calls: RetentionCalls
  stop(): Promise<void>
}

/** Starts to delete from the lake what is older or larger than `retention` allows, archived first if there is an archive. */
export async function openRetention({ config, lake, state, pipeline, events, http, log }: PartsDeps): Promise<OpenRetention> {
  const { retention, data_dir: dataDir } = config
  const shared = { order: new Order(), log, now: Date.now }
  const workFolder = join(dataDir, 'archive-work')
  const save = (key: string, value: string) => pipeline.rpc.call('setMeta', { key, value })
  const place = retention.archive && openPlace(retention.archive, dataDir, { send: http.configured, secret: resolveSecret })
  const listing = place && new ArchiveListing(place)
  const restores =
    place &&
    listing &&
    new Restores({
      ...{ ...shared, place, listing, lake, workFolder: join(workFolder, 'in') },
      load: () => getMeta(state, RESTORES_KEY),
      save: (text) => save(RESTORES_KEY, text),
      needRoom: (bytes) => needRoom(config, lake, bytes),
    })
  await restores?.open()
  let record = readRecord(await getMeta(state, RETENTION_KEY))
  const lifetime = new Lifetime({
    ...{ ...shared, retention, lake },
    held: () => heldAlertIds(state),
    archiver: place && new Archiver({ place, lake, workFolder: join(workFolder, 'out'), now: Date.now }),
    keeps: restores && ((partition) => restores.keeps(partition)),
    onProblems: (problems) => events.problems.report('lifetime', problems),
    onRun: (run) => {
      record = withRun(record, run)
      save(RETENTION_KEY, JSON.stringify(record)).catch((err: unknown) => log.warn({ err }, 'What retention did is not stored.'))
    },
  })
  lifetime.start()
  const calls: RetentionCalls = {
    retention: async () => {
      const partitions = await lake.partitions()
      const bytes = partitions.reduce((sum, one) => sum + one.bytes, 0)
      return { ...record, archive: place?.name, bytes, logTypes: keptLogTypes(partitions, retention) }
    },
    archived: async (filter) => {
      if (!place || !listing) throw new Refused(NO_ARCHIVE)
      return { place: place.name, ...(await listing.list(filter, AbortSignal.timeout(LIST_MS))) }
    },
    restoreArchived: async (ask) => {
      if (!restores) throw new Refused(NO_ARCHIVE)
      return restores.begin(ask)
    },
    restores: () => restores?.all ?? [],
  }
  return {
    calls,
    stop: async () => {
      await Promise.all([restores?.stop(), lifetime.stop()])
    },
  }
}

const NO_ARCHIVE = 'there is no archive: set retention.archive to a folder or a bucket (docs/retention.md)'

async function needRoom({ data_dir, retention }: Config, lake: Pick<Lake, 'partitions'>, bytes: number): Promise<void> {
  const { bsize, blocks, bavail } = await statfs(data_dir)
  const free = bsize * bavail - lowBytes(bsize * blocks)
  if (bytes > free)
    throw new StorageError(
      `the rows need about ${mib(bytes)} of disk, and ${mib(Math.max(0, free))} can be used: free space, or restore fewer days`,
    )
  const limit = retention.lake_max_bytes
  if (limit === undefined) return
  const used = (await lake.partitions()).reduce((sum, one) => sum + one.bytes, 0)
  if (used + bytes > limit)
    throw new Refused(
      `the rows need about ${mib(bytes)}, and the lake may grow by ${mib(Math.max(0, limit - used))} (retention.lake_max_bytes): restore fewer days, or raise the limit`,
    )
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`
}
