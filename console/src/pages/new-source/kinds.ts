/** Something that produces logs, and the source that it needs. */
export interface Kind {
  readonly value: string
  readonly title: string
  readonly hint: string
  readonly type: string
  /** Log types that are chosen at first; none: each record's type is recognised. */
  readonly logTypes: readonly string[]
  /** It has a port of its own, and takes no token. */
  readonly port?: number
  /** It reads by itself, so it is only added in the configuration file. */
  readonly lines?: (id: string, logTypes: readonly string[]) => string
}

/** What somebody may have, the most frequent first. */
export const KINDS: readonly Kind[] = [
  { value: 'app', title: 'An application', hint: 'JSON or lines over HTTP', type: 'http', logTypes: [] },
  { value: 'nginx', title: 'nginx', hint: 'access logs', type: 'http', logTypes: ['Nginx.Access'] },
  {
    value: 'apache',
    title: 'Apache',
    hint: 'access logs',
    type: 'http',
    logTypes: ['Apache.AccessCombined', 'Apache.AccessCommon'],
  },
  { value: 'zeek', title: 'Zeek', hint: 'its JSON or tab-separated logs', type: 'http', logTypes: [] },
  { value: 'syslog', title: 'Syslog', hint: 'rsyslog, syslog-ng, network devices', type: 'syslog', logTypes: [], port: 5514 },
  { value: 'filebeat', title: 'Filebeat', hint: 'or anything that writes to Elasticsearch', type: 'elasticsearch', logTypes: [] },
  { value: 'otlp', title: 'OpenTelemetry', hint: 'the collector, or a library', type: 'otlp', logTypes: [] },
  { value: 'splunk', title: 'Splunk HEC', hint: 'anything that sends to Splunk over HTTP', type: 'splunk_hec', logTypes: [] },
  { value: 'loki', title: 'Loki', hint: 'Promtail or Grafana Alloy', type: 'loki', logTypes: [] },
  {
    value: 'file',
    title: 'Files on this machine',
    hint: 'read as they grow',
    type: 'file',
    logTypes: [],
    lines: (id, logTypes) => linesOf(id, 'file', ['paths: [/var/log/app/*.log]'], logTypes),
  },
  {
    value: 's3',
    title: 'S3 bucket',
    hint: 'or what is compatible with it',
    type: 's3',
    logTypes: [],
    lines: (id, logTypes) => linesOf(id, 's3', ['bucket: example-logs', 'region: eu-central-1'], logTypes),
  },
]

function linesOf(id: string, type: string, keys: readonly string[], logTypes: readonly string[]): string {
  const types = logTypes.length > 0 ? [`log_types: [${logTypes.join(', ')}]`] : []
  return ['sources:', `  - type: ${type}`, `    id: ${id}`, ...[...keys, ...types].map((key) => `    ${key}`), ''].join('\n')
}

export interface Wish {
  readonly kind: Kind
  readonly id: string
  readonly logTypes: readonly string[]
  /** Of sources with a port of their own. */
  readonly listen: string
}

/** The source as in the configuration file. */
export function blockOf({ kind, id, logTypes, listen }: Wish): { type: string; id: string } & Record<string, unknown> {
  return {
    type: kind.type,
    id,
    ...(logTypes.length > 0 && { log_types: logTypes }),
    ...(kind.port !== undefined && { listen }),
  }
}
