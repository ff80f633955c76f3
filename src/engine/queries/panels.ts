import { type Panel, type Span, spanParams } from '../../model/dashboard.ts'
import { pantherSign } from './dialect.ts'
import type { JobAsk } from './jobs.ts'
import type { ContentSearch } from './searches.ts'

/** SQL of a panel is the lake's, unless only Panther can mean it. */
export function panelDialect(sql: string): 'clickhouse' | 'snowflake' {
  return pantherSign(sql) === 'must' ? 'snowflake' : 'clickhouse'
}

export type PanelQuery = Pick<JobAsk, 'sql' | 'dialect' | 'params'>

/** What runs for a panel about a span of time; `undefined` if it names a query that does not exist. */
export function panelQuery({ query }: Panel, searches: readonly ContentSearch[], span: Span): PanelQuery | undefined {
  if ('search' in query) {
    const found = searches.find(({ name }) => name === query.search)
    return found && askOf(found.sql, found.dialect === 'clickhouse' ? 'clickhouse' : 'snowflake', span)
  }
  return askOf(query.sql, panelDialect(query.sql), span)
}

/** Only the lake's own SQL has placeholders. */
function askOf(sql: string, dialect: 'clickhouse' | 'snowflake', span: Span): PanelQuery {
  return { sql, dialect, ...(dialect === 'clickhouse' && { params: spanParams(span) }) }
}
