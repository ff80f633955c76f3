import type { Config } from '../../config/config.ts'
import { resolveSecret } from '../../config/env.ts'
import { ServerAdministration } from '../../stages/store/clickhouse/administration.ts'
import type { ClickhouseConfig } from '../../stages/store/clickhouse/clickhouse.ts'
import { messageOf } from '../../util/errors.ts'
import { trustedAuthorities } from '../open-lake.ts'
import { type Examination, failed, ok } from './examination.ts'

/** Differences to name. */
const MOST = 3

/** Whether the server of the lake answers, is new enough, and has the reader that `caracal lake init` makes. */
export function serverExamination(config: Config, lake: ClickhouseConfig): Examination {
  return {
    name: 'lake',
    async run() {
      const deps = { secret: resolveSecret, trusted: trustedAuthorities(config), maxQueryMs: config.query_timeout_ms }
      const server = new ServerAdministration(lake, deps)
      try {
        const { version, tables, servers, differences } = await server.examine()
        const where = lake.cluster ? `on ${servers} servers of the cluster '${lake.cluster.name}'` : `at ${lake.url}`
        if (differences.length > 0)
          return failed(
            `${differences.length} differences between the servers of the cluster '${lake.cluster?.name}': ${differences.slice(0, MOST).join(' ')}`,
            'correct the tables on the servers that are named; a start of Caracal creates what is missing altogether (docs/lake.md)',
          )
        return ok(`ClickHouse ${version} ${where}, ${tables} tables; ClickHouse checks its files itself`)
      } catch (error) {
        return failed(
          messageOf(error),
          'check the server and the lake block of caracal.yml (docs/lake.md); `caracal lake init` makes its reader',
        )
      } finally {
        await server.close()
      }
    },
  }
}
