/** Where a program sends its logs, and as whom. */
export interface ShipperPlace {
  /** Where people and programs reach Caracal, without a slash at the end: `https://siem.example.com/caracal`. */
  readonly url: string
  /** What follows it: `/ingest/<id>`; '' for a protocol that reaches its only source without it. */
  readonly path: string
  /** Port of a source with a port of its own. */
  readonly port?: number | undefined
  readonly token: string
}

/** How one program is set up to send logs to a source of one type. The texts are those of docs/shippers.md. */
export interface ShipperLines {
  readonly name: string
  readonly title: string
  /** Type of the source that it sends to. */
  readonly to: string
  /** The text's language, for highlighting. */
  readonly language: 'sh' | 'yaml' | 'toml' | 'text'
  /** The file that the text belongs into; `undefined` for a command. */
  readonly file: string | undefined
  readonly text: (place: ShipperPlace) => string
}

function hostOf({ url }: ShipperPlace): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}

function portOf({ url }: ShipperPlace): string {
  const { port, protocol } = new URL(url)
  return port || (protocol === 'https:' ? '443' : '80')
}

function pathOf({ url, path }: ShipperPlace): string {
  return new URL(url).pathname.replace(/\/$/, '') + path
}

/** A further line if the port speaks TLS. */
function ifTls({ url }: ShipperPlace, line: string): string {
  return url.startsWith('https:') ? `\n${line}` : ''
}

/** Every program whose lines are offered, by the type of source that it sends to. */
export const SHIPPERS: readonly ShipperLines[] = [
  {
    name: 'curl',
    title: 'curl',
    to: 'http',
    language: 'sh',
    file: undefined,
    text: ({ url, path, token }) => `curl -H "Authorization: Bearer ${token}" --data-binary @app.log ${url}${path}`,
  },
  {
    name: 'fluent_bit',
    title: 'Fluent Bit',
    to: 'http',
    language: 'yaml',
    file: 'fluent-bit.yaml',
    text: (place) => `pipeline:
  outputs:
    - name: http
      match: '*'
      host: ${hostOf(place)}
      port: ${portOf(place)}
      uri: ${pathOf(place)}
      format: json_lines
      header: Authorization Bearer ${place.token}${ifTls(place, '      tls: on')}`,
  },
  {
    name: 'vector',
    title: 'Vector',
    to: 'http',
    language: 'yaml',
    file: 'vector.yaml',
    text: ({ url, path, token }) => `sinks:
  caracal:
    type: http
    inputs: [files]
    uri: ${url}${path}
    auth: {strategy: bearer, token: ${token}}
    encoding: {codec: json}
    framing: {method: newline_delimited}`,
  },
  {
    name: 'fluentd',
    title: 'Fluentd',
    to: 'http',
    language: 'text',
    file: 'fluent.conf',
    text: ({ url, path, token }) => `<match **>
  @type http
  endpoint ${url}${path}
  headers {"Authorization":"Bearer ${token}"}
  retryable_response_codes 429,503
  <format>
    @type json
  </format>
  <buffer>
    flush_interval 1s
  </buffer>
</match>`,
  },
  {
    name: 'filebeat',
    title: 'Filebeat',
    to: 'elasticsearch',
    language: 'yaml',
    file: 'filebeat.yml',
    text: ({ url, path, token }) => `output.elasticsearch:
  hosts: ["${url}${path}"]
  api_key: "caracal:${token}"
setup.template.enabled: false
setup.ilm.enabled: false`,
  },
  {
    name: 'opentelemetry',
    title: 'OpenTelemetry Collector',
    to: 'otlp',
    language: 'yaml',
    file: 'collector.yaml',
    text: ({ url, path, token }) => `exporters:
  otlp_http:
    endpoint: ${url}${path}
    headers: {Authorization: Bearer ${token}}
service:
  pipelines:
    logs: {receivers: [file_log], exporters: [otlp_http]}`,
  },
  {
    name: 'splunk_vector',
    title: 'Vector',
    to: 'splunk_hec',
    language: 'yaml',
    file: 'vector.yaml',
    text: ({ url, path, token }) => `sinks:
  caracal:
    type: splunk_hec_logs
    inputs: [files]
    endpoint: ${url}${path}
    default_token: ${token}
    encoding: {codec: text}`,
  },
  {
    name: 'promtail',
    title: 'Promtail',
    to: 'loki',
    language: 'yaml',
    file: 'promtail.yaml',
    text: ({ url, path, token }) => `clients:
  - url: ${url}${path}/loki/api/v1/push
    bearer_token: ${token}`,
  },
  {
    name: 'alloy',
    title: 'Grafana Alloy',
    to: 'loki',
    language: 'text',
    file: 'config.alloy',
    text: ({ url, path, token }) => `loki.write "caracal" {
  endpoint {
    url          = "${url}${path}/loki/api/v1/push"
    bearer_token = "${token}"
  }
}`,
  },
  {
    name: 's3',
    title: 'Amazon S3',
    to: 's3',
    language: 'yaml',
    file: 'caracal.yml',
    text: () => `sources:
  - type: s3
    id: bucket
    bucket: example-logs
    region: eu-central-1
    prefixes:
      - { prefix: nginx/, log_types: [Nginx.Access] }`,
  },
  {
    name: 'rsyslog',
    title: 'rsyslog',
    to: 'syslog',
    language: 'text',
    file: '/etc/rsyslog.d/caracal.conf',
    text: (place) =>
      `action(type="omfwd" target="${hostOf(place)}" port="${place.port}" protocol="tcp" TCP_Framing="octet-counted"
       template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1" queue.type="LinkedList")`,
  },
  {
    name: 'syslog_ng',
    title: 'syslog-ng',
    to: 'syslog',
    language: 'text',
    file: '/etc/syslog-ng/conf.d/caracal.conf',
    text: (place) => `destination d_caracal { syslog("${hostOf(place)}" port(${place.port}) transport("tcp")); };`,
  },
  {
    name: 'journal_upload',
    title: 'systemd-journal-upload',
    to: 'journal_upload',
    language: 'text',
    file: '/etc/systemd/journal-upload.conf',
    text: (place) => {
      const { protocol, host } = new URL(place.url)
      return `[Upload]\nURL=${protocol}//journal:${place.token}@${host}${pathOf(place)}`
    },
  },
]
