import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SpoolRange } from '../../src/model/spool.ts'
import { Spool } from '../../src/pipeline/spool.ts'
import { recordBatch } from '../../src/state/batches.ts'
import { openState } from '../../src/state/db.ts'
import { openSqlite } from '../../src/state/sqlite.ts'
import type { Commit } from './commits.ts'
import type { Spooled } from './spooled.ts'

/**
 * Leaves a data folder as if a process had recorded these batches in this order and had then been killed: the next one begins with them, one
 * after the other. Their bodies are in the spool with the times at which they were received.
 */
export async function refill(
  dataDir: string,
  commits: readonly Commit[],
  bodies: ReadonlyMap<string, readonly Spooled[]>,
): Promise<void> {
  mkdirSync(dataDir)
  const spool = new Spool(openSqlite(join(dataDir, 'spool.db')))
  const state = await openState(dataDir)
  const appended: (Spooled & { readonly sourceId: string })[] = []
  for (const [i, { sourceId, extent, receivedMs }] of commits.entries()) {
    const batch = { batchId: String(i + 1).padStart(20, '0'), sourceId, extent, receivedMs }
    if (extent.kind === 'spool') {
      const from = appended.length + 1
      appended.push(...rangeOf(bodies.get(sourceId)!, extent).map((one) => ({ ...one, sourceId })))
      batch.extent = { ...extent, epoch: spool.epoch, from, to: appended.length }
    }
    await recordBatch(state, batch)
  }
  // Ids are the places in this list, counted from 1.
  spool.append(appended)
  spool.close()
  await state.destroy()
}

function rangeOf(bodies: readonly Spooled[], extent: object): readonly Spooled[] {
  const { from, to } = extent as SpoolRange
  return bodies.filter(({ id }) => id >= from && id <= to)
}
