import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbLake } from '../../src/stages/store/chdb.ts'
import type { Lake } from '../../src/stages/store/lake.ts'
import { ClickhouseCluster } from './clickhouse-cluster.ts'
import { ClickhouseServer, whyNoServer } from './clickhouse-server.ts'
import { openTestLake } from './server-lake.ts'

/** Where a test's lakes are. */
export interface LakeHome {
  /** The folders with the engine's files. */
  readonly files: readonly string[]
  /** Opens the lake that is there. */
  open(): Promise<Lake>
  /** Removes everything in it. The lake must be closed. */
  clear(): Promise<void>
  /** Removes it altogether. */
  remove(): Promise<void>
}

interface LakeKind {
  readonly title: string
  /** Why it cannot be tested here. */
  readonly why: string | undefined
  make(): Promise<LakeHome>
}

/** Every kind of lake, for tests of what all of them do. */
export const lakeKinds: readonly LakeKind[] = [
  {
    title: 'on chDB',
    why: undefined,
    async make() {
      const files = mkdtempSync(join(tmpdir(), 'caracal-lake-'))
      return {
        files: [files],
        open: () => createChdbLake({ dataDir: files, fsync: false, max_query_ms: 20_000 }),
        clear: async () => rmSync(join(files, 'lake'), { recursive: true, force: true }),
        remove: async () => rmSync(files, { recursive: true, force: true }),
      }
    },
  },
  {
    title: `on a ClickHouse server${whyNoServer ? ` (${whyNoServer})` : ''}`,
    why: whyNoServer,
    async make() {
      const dataDir = mkdtempSync(join(tmpdir(), 'caracal-lake-'))
      const server = await ClickhouseServer.start()
      return {
        files: [server.data],
        open: () => openTestLake(server, dataDir),
        clear: () => server.reset(),
        async remove() {
          await server.stop()
          rmSync(dataDir, { recursive: true, force: true })
        },
      }
    },
  },
  {
    title: `on a cluster of two ClickHouse servers${whyNoServer ? ` (${whyNoServer})` : ''}`,
    why: whyNoServer,
    async make() {
      const dataDir = mkdtempSync(join(tmpdir(), 'caracal-lake-'))
      const cluster = await ClickhouseCluster.start()
      return {
        files: cluster.servers.map(({ data }) => data),
        open: () => openTestLake(cluster, dataDir),
        clear: () => cluster.reset(),
        async remove() {
          await cluster.stop()
          rmSync(dataDir, { recursive: true, force: true })
        },
      }
    },
  },
]
