import { clickhouse } from '../../src/stages/store/clickhouse/clickhouse.ts'
import type { Lake, LakeDeps } from '../../src/stages/store/lake.ts'
import { PASSWORD } from './clickhouse-server.ts'

/** The lake on a server or cluster of tests, for a data folder. */
export function openTestLake(server: { readonly lake: object }, dataDir: string, more: Partial<LakeDeps> = {}): Promise<Lake> {
  const { type, ...block } = server.lake as { type: string }
  return clickhouse.create(clickhouse.config.parse({ ...block, fsync: false }), {
    dataDir,
    maxQueryMs: 30_000,
    maxRows: 100_000,
    onProblems: () => {},
    secret: () => PASSWORD,
    trusted: {},
    ...more,
  })
}
