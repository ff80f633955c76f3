// Logs for the benches of stages, always the same ones: lines as programs write them, of addresses and names that exist nowhere.
import { seeded } from '../lib.mjs'

const CHUNK_BYTES = 256 * 1024
const START = 1_713_520_800_000

function source(seed) {
  const random = seeded(seed)
  const below = (n) => Math.floor(random() * n)
  return { below, pick: (list) => list[below(list.length)] }
}

/** Access lines of a small site in nginx's format `combined`. */
export function accessLines(count) {
  const { below, pick } = source(11)
  return Array.from({ length: count }, (_, i) => {
    const clock = new Date(START + i * 900).toISOString().slice(11, 19)
    const address = `203.0.${below(256)}.${below(256)}`
    const uri = pick(['/', '/index.html', '/assets/app.3f2c.js', '/api/v1/items?page=2&size=50', '/login'])
    const agent = pick([
      'curl/8.5.0',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36',
    ])
    return `${address} - - [19/Apr/2024:${clock} +0000] "GET ${uri} HTTP/1.1" ${pick([200, 200, 304, 404])} ${below(90_000)} "https://www.example.com${uri}" "${agent}"`
  })
}

/** Lines of a server's auth.log and syslog: half of them of programs whose messages are read. */
export function syslogLines(count) {
  const { below, pick } = source(13)
  const address = () => `198.51.${below(256)}.${below(256)}`
  const kinds = [
    () =>
      `sshd[${below(9999)}]: Failed password for invalid user ${pick(['admin', 'test', 'oracle'])} from ${address()} port ${1024 + below(60_000)} ssh2`,
    () =>
      `sshd[${below(9999)}]: Accepted publickey for alice from ${address()} port ${1024 + below(60_000)} ssh2: ED25519 SHA256:Zm9vYmFy`,
    () => `CRON[${below(9999)}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)`,
    () => `kernel: [${below(90_000)}.${below(999_999)}] eth0: link is up at 1000 Mbps, full duplex`,
    () => `dhclient[${below(9999)}]: DHCPACK of ${address()} from ${address()}`,
    () => `app[${below(9999)}]: request ${below(1e9)} finished in ${below(900)} ms with status ${pick([200, 404])}`,
  ]
  return Array.from({ length: count }, (_, i) => {
    const clock = new Date(START + i * 700).toISOString().slice(11, 19)
    return `<${pick([38, 86, 30])}>Apr 19 ${clock} web${below(4)} ${pick(kinds)()}`
  })
}

/** Records of CloudTrail, one a line, as large as usual: an assumed role with its session, parameters and resources. */
export function cloudTrailLines(count) {
  const { below, pick } = source(17)
  const hex = (n) => Array.from({ length: n }, () => below(16).toString(16)).join('')
  return Array.from({ length: count }, (_, i) => {
    const account = pick(['123456789012', '210987654321'])
    const role = pick(['deploy', 'audit', 'backup'])
    const name = pick(['PutObject', 'GetObject', 'AssumeRole', 'DescribeInstances'])
    const principal = `AROAEXAMPLE${role.toUpperCase()}`
    return JSON.stringify({
      eventVersion: '1.08',
      userIdentity: {
        type: 'AssumedRole',
        principalId: `${principal}:session-${below(50)}`,
        arn: `arn:aws:sts::${account}:assumed-role/${role}/session-${below(50)}`,
        accountId: account,
        accessKeyId: `ASIAEXAMPLE${hex(8).toUpperCase()}`,
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            principalId: principal,
            arn: `arn:aws:iam::${account}:role/${role}`,
            accountId: account,
            userName: role,
          },
          attributes: { creationDate: '2024-04-19T09:00:00Z', mfaAuthenticated: 'false' },
        },
      },
      eventTime: new Date(START + i * 400).toISOString().replace(/\.\d+Z$/, 'Z'),
      eventSource: pick(['s3.amazonaws.com', 'sts.amazonaws.com', 'ec2.amazonaws.com']),
      eventName: name,
      awsRegion: pick(['eu-central-1', 'us-east-1']),
      sourceIPAddress: `203.0.${below(256)}.${below(256)}`,
      userAgent: '[aws-cli/2.15.0 Python/3.11.6 Linux/6.5.0 exe/x86_64]',
      requestParameters: { bucketName: `logs-${below(9)}`, key: `a/b/${hex(12)}.json.gz`, Host: 's3.eu-central-1.amazonaws.com' },
      responseElements: { 'x-amz-server-side-encryption': 'AES256' },
      additionalEventData: {
        SignatureVersion: 'SigV4',
        CipherSuite: 'TLS_AES_128_GCM_SHA256',
        bytesTransferredIn: below(90_000),
        AuthenticationMethod: 'AuthHeader',
      },
      requestID: hex(16).toUpperCase(),
      eventID: `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
      readOnly: name !== 'PutObject',
      resources: [
        { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::logs/a/b/${hex(12)}.json.gz` },
        { accountId: account, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::logs' },
      ],
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: 'Management',
      tlsDetails: {
        tlsVersion: 'TLSv1.3',
        cipherSuite: 'TLS_AES_128_GCM_SHA256',
        clientProvidedHostHeader: 's3.eu-central-1.amazonaws.com',
      },
    })
  })
}

/** Zeek connections of the usual kinds. */
export function connections(count) {
  let seed = 4848
  const random = (n) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % n
  }
  return Array.from({ length: count }, (_, i) => {
    const isDns = i % 3 === 0
    const isCut = i % 11 === 0
    return {
      // Zeek writes six decimals.
      ts: Math.round((1_713_484_795 + i / 7) * 1e6 + random(1_000_000)) / 1e6,
      uid: `C${(seed * 7919 + i).toString(36).padEnd(16, 'x').slice(0, 16)}`,
      id_orig_h: `10.${random(256)}.${random(256)}.${random(256)}`,
      id_orig_p: 1024 + random(60_000),
      id_resp_h: `192.0.${random(256)}.${random(256)}`,
      id_resp_p: isDns ? 53 : 443,
      proto: isDns ? 'udp' : 'tcp',
      ...(isCut
        ? {}
        : {
            service: isDns ? 'dns' : 'ssl',
            duration: random(1_000_000_000) / 1e9,
            orig_bytes: random(5000),
            resp_bytes: random(90_000),
          }),
      conn_state: isCut ? 'S0' : 'SF',
      local_orig: true,
      local_resp: false,
      missed_bytes: 0,
      history: isCut ? 'S' : 'ShADadFf',
      orig_pkts: random(40),
      orig_ip_bytes: random(9000),
      resp_pkts: random(40),
      resp_ip_bytes: random(99_000),
    }
  })
}

/** Connections as lines of JSON. */
export function connJson(events) {
  const dotted = (event) => Object.fromEntries(Object.entries(event).map(([key, value]) => [key.replace(/^id_/, 'id.'), value]))
  return events.map((event) => JSON.stringify({ _path: 'conn', ...dotted(event) }))
}

/** Connections as tab-separated lines, with their header. */
export function connTsv(events) {
  const names = Object.keys(events[1])
  const type = (name) =>
    ({ ts: 'time', duration: 'interval', local_orig: 'bool', local_resp: 'bool' })[name] ??
    (typeof events[1][name] === 'number' ? 'count' : 'string')
  const cell = (value) => (value === undefined ? '-' : value === true ? 'T' : value === false ? 'F' : String(value))
  const head = ['#separator \\x09', '#path\tconn', `#fields\t${names.join('\t')}`, `#types\t${names.map(type).join('\t')}`]
  return [...head, ...events.map((event) => names.map((name) => cell(event[name])).join('\t'))]
}

/** Chunks of whole lines, as a source yields them. */
export function chunksOf(bytes) {
  const chunks = []
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, Math.min(start + CHUNK_BYTES, bytes.length))
    const end = newline < 0 ? bytes.length : newline + 1
    chunks.push({
      bytes: bytes.subarray(start, end),
      place: '0123456789abcdef',
      offset: start,
      final: end === bytes.length,
      faults: [],
    })
    start = end
  }
  return chunks
}
