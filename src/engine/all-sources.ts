import { type Config, configSchema, type SourceConfig } from '../config/config.ts'
import { sources as registry } from '../stages/source/index.ts'
import { find } from '../util/define.ts'
import { auditSource } from './accounts/audit.ts'

/** The configured sources and those that come with them, the http source that always exists (with the data folder's token), that of audit events, and the sample's. */
export function allSources({ sources }: Config, demo: SourceConfig | undefined): SourceConfig[] {
  const ids = new Set(sources.map(({ id }) => id))
  const brought = sources.flatMap((source) => find('source', registry, source.type).brings?.(source as never) ?? [])
  const builtIn = configSchema.parse({ sources: [...brought, { type: 'http', id: 'default' }] }).sources
  return [...sources, ...builtIn, auditSource(), ...(demo ? [demo] : [])].filter(
    (source) => sources.includes(source) || !ids.has(source.id),
  )
}
