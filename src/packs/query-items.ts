import type { z } from 'zod'
import type { QueryDialect, SavedQuery, ScheduledQuery } from '../model/query.ts'
import { ConfigError } from '../util/errors.ts'
import { checked, type Item } from './item.ts'
import { savedQueryItem, scheduledQueryItem } from './query-schemas.ts'
import type { YamlFile } from './yaml-file.ts'

export function readQuery(kind: 'saved_query' | 'scheduled_query', file: string, yaml: YamlFile): Item {
  if (kind === 'saved_query') {
    return checked(file, yaml, savedQueryItem, (item) => ({
      kind: 'savedQuery',
      id: item.QueryName,
      query: readSaved(file, item),
    }))
  }
  return checked(file, yaml, scheduledQueryItem, (item) => {
    const { RateMinutes: rateMinutes, CronExpression: cron, TimeoutMinutes: timeoutMinutes } = item.Schedule
    const query: ScheduledQuery = {
      ...readSaved(file, item),
      enabled: item.Enabled,
      schedule: rateMinutes === undefined ? { cron: cron!, timeoutMinutes } : { rateMinutes, timeoutMinutes },
      email: item.EmailConfig && {
        recipients: item.EmailConfig.Recipients,
        sendEmpty: item.EmailConfig.SendEmpty ?? false,
        preferAttachment: item.EmailConfig.PreferAttachment ?? false,
      },
    }
    return { kind: 'scheduledQuery', id: query.name, query }
  })
}

/** Which text is used if there are several, first to last. */
const DIALECTS = [
  ['Query', 'any'],
  ['SnowflakeQuery', 'snowflake'],
  ['DatabricksQuery', 'databricks'],
  ['AthenaQuery', 'athena'],
  ['ClickHouseQuery', 'clickhouse'],
] as const satisfies readonly (readonly [string, QueryDialect])[]

type QueryKeys = Omit<z.output<typeof savedQueryItem>, 'AnalysisType'>

function readSaved(file: string, item: QueryKeys): SavedQuery {
  const all = DIALECTS.filter(([key]) => item[key] !== undefined)
  // Next to a text for Panther, the lake's own is the one for this program.
  const found = all.find(([, dialect]) => dialect === 'clickhouse') ?? all[0]
  if (!found)
    throw new ConfigError(`a query has one of ${DIALECTS.map(([key]) => key).join(', ')}: add it`, { path: 'QueryName' })
  const [key, dialect] = found
  return {
    name: item.QueryName,
    description: item.Description ?? '',
    tags: item.Tags ?? [],
    sql: item[key]!,
    dialect,
    hasLookback: item.Lookback === true,
    file,
  }
}
