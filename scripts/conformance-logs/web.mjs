import { assertions, compare } from './crowdsec.mjs'

/** Access and error logs of nginx and Apache, and those of AWS load balancers and VPCs. */

const isAccess = (line) => /\] "/.test(line) && !line.startsWith('[')
const isCommon = (line) => isAccess(line) && /" \d{3} \S+$/.test(line)
const isCombined = (line) => isAccess(line) && !isCommon(line)
const isNginxError = (line) => /^\d{4}\/\d\d\/\d\d /.test(line)
const isApacheError = (line) => /^\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) /.test(line)

/** Only the lines that `test` accepts. */
const only = (test) => (text) =>
  text
    .split('\n')
    .filter((line) => line !== '' && test(line))
    .map((line) => `${line}\n`)
    .join('')

function countBy(events, key) {
  const counts = {}
  for (const event of events) counts[event[key]] = (counts[event[key]] ?? 0) + 1
  return counts
}

/** fail2ban's ground truth for the lines that `test` accepts: each follows a comment with the host, or with none. */
function truths(readText, files, test) {
  return files.flatMap((file) => {
    const lines = []
    let host
    for (const line of readText(file).split('\n')) {
      if (line.startsWith('# failJSON:')) host = /"host": "([^"]+)"/.exec(line)?.[1]
      else if (line !== '' && test(line)) lines.push({ host, line })
    }
    return lines
  })
}

/** An error line of nginx in which the client wrote `, client: ` itself is not taken apart. */
const isAmbiguous = (line) => line.split(', client: ').length > 2

const fail2ban = (name, logType, file, test, field) => ({
  name: `fail2ban's ${name}`,
  files: [`fail2ban/${file}`],
  logType,
  input: only(test),
  facts: (events, { readText, files }) => {
    const known = truths(readText, files, test)
    const differences = known.flatMap(({ host, line }, i) => {
      const right = isAmbiguous(line) ? undefined : host
      return host === undefined || events[i]?.[field] === right ? [] : [`${events[i]?.[field]} is ${right}`]
    })
    return [[`hosts that differ, of ${known.filter(({ host }) => host).length}`, differences, []]]
  },
})

const crowdsec = (folder, parser, logType, test, indexes, fields) => ({
  name: `CrowdSec's ${folder}`,
  files: [`crowdsec/${folder}/*.log`],
  logType,
  input: only(test),
  facts: (events, { readText }) => {
    const all = assertions(readText(`crowdsec/${folder}/parser.assert`), parser)
    const { differences, compared } = compare(events, indexes ? indexes.map((i) => all[i]) : all, fields)
    return [[`differences in ${compared} values`, differences, []]]
  },
})

const apacheAccess = {
  clientip: (e) => e.remote_host_ip_address,
  ident: (e) => e.client_identity_rfc_1413,
  auth: (e) => e.request_user,
  verb: (e) => e.request_method,
  request: (e) => e.request_uri,
  httpversion: (e) => e.request_protocol?.slice('HTTP/'.length),
  response: (e) => e.response_status,
  bytes: (e) => e.response_size,
  referrer: (e) => e.referer,
  http_user_agent: (e) => e.user_agent,
  target_fqdn: (e) => e.virtual_host,
  port: (e) => e.virtual_host_port,
}
const apacheError = {
  client: (e) => e.client,
  clientport: (e) => e.client_port,
  errorcode: (e) => e.error_code,
  loglevel: (e) => e.level,
  module: (e) => e.module,
  pid: (e) => e.pid,
  tid: (e) => e.tid,
  proxy_errorcode: (e) => e.system_error,
  proxy_errormessage: (e) => e.system_error_text,
}
const nginxAccess = {
  remote_addr: (e) => e.remoteAddr,
  request: (e) => e.request,
  status: (e) => e.status,
  body_bytes_sent: (e) => e.bodyBytesSent,
  http_referer: (e) => e.httpReferer,
  http_user_agent: (e) => e.httpUserAgent,
}
const nginxError = {
  remote_addr: (e) => e.client,
  cid: (e) => e.connection,
  pid: (e) => e.pid,
  tid: (e) => e.tid,
  loglevel: (e) => e.level,
  message: (e) => e.message,
  target_fqdn: (e) => e.server,
  verb: (e) => e.request?.split(' ')[0],
  // CrowdSec's pattern takes `https:` off.
  request: (e) => e.request?.split(' ')[1].replace(/^https?:/, ''),
}

export const web = {
  name: 'web',
  sets: [
    {
      name: "Elastic's access log",
      files: ['web/elastic/apache_logs.gz'],
      logType: 'Apache.AccessCombined',
      rows: 10000,
      facts: (events) => [
        [
          'status codes',
          countBy(events, 'response_status'),
          { 200: 9126, 206: 45, 301: 164, 304: 445, 403: 2, 404: 213, 416: 2, 500: 3 },
        ],
        ['clients', new Set(events.map((event) => event.remote_host_ip_address)).size, 1753],
      ],
    },
    { name: 'the same as nginx', files: ['web/elastic/apache_logs.gz'], logType: 'Nginx.Access', rows: 10000 },
    {
      name: "Loghub's error log",
      files: ['web/loghub/Apache_2k.log'],
      logType: 'Apache.Error',
      rows: 2000,
      facts: (events) => {
        const forbidden = events.filter((event) => event.message.includes('Directory index forbidden by rule'))
        return [
          ['in error state', events.filter((event) => event.message.includes('in error state')).length, 539],
          ['directory index forbidden', forbidden.length, 32],
          ['of these with a client', forbidden.filter((event) => event.client !== undefined).length, 32],
        ]
      },
    },
    {
      name: "Plaso's combined lines",
      files: ['web/plaso/apache_access.log'],
      logType: 'Apache.AccessCombined',
      input: only(isCombined),
      rows: 11,
    },
    {
      name: "Plaso's common lines",
      files: ['web/plaso/apache_access.log'],
      logType: 'Apache.AccessCommon',
      input: only(isCommon),
      rows: 4,
    },
    {
      name: "Plaso's load balancer",
      files: ['web/plaso/aws_elb_access.log'],
      logType: 'AWS.ALB',
      input: only((line) => /^(?:https?|h2) /.test(line)),
      rows: 10,
      facts: (events) => [['status codes', countBy(events, 'elbStatusCode'), { 200: 2, 301: 4, 302: 4 }]],
    },
    {
      name: "Plaso's classic load balancer",
      files: ['web/plaso/aws_elb_access.log'],
      logType: 'AWS.ELB',
      input: only((line) => line.startsWith('2021-')),
      rows: 4,
    },
    {
      name: 'VPC flows',
      files: ['vpcflow/otel/*.log'],
      logType: 'AWS.VPCFlow',
      rows: 3,
      facts: (events) => [
        [
          'ports and actions',
          events.map(({ dstPort, action, status }) => dstPort && `${dstPort} ${action} ${status}`),
          [null, '22 ACCEPT OK', '3389 REJECT OK'].map((one) => one ?? undefined),
        ],
      ],
    },
    crowdsec('apache2-logs', 'apache2-logs', 'Apache.AccessCombined', isCombined, [0, 1, 2, 3, 4, 6], apacheAccess),
    {
      ...crowdsec('apache2-logs', 'apache2-logs', 'Apache.Error', isApacheError, [7, 8], apacheError),
      name: "CrowdSec's apache2-logs, errors",
    },
    crowdsec('nginx-proxy-manager-malformed', 'nginx-proxy-manager-logs', 'Nginx.Access', isCombined, undefined, nginxAccess),
    crowdsec('nginx_req_limit_exceeded', 'nginx-logs', 'Nginx.Error', isNginxError, undefined, nginxError),
    {
      name: "CrowdSec's scenarios for nginx and Apache",
      files: [
        'crowdsec/{nginx-http,http-dos,http-cve,http-tech,http-admin,apache-http,apache2-http,apache-cve,nginx-cve}*/*.log',
      ],
      logType: 'Nginx.Access',
      input: only(isCombined),
    },
    fail2ban('nginx-botsearch', 'Nginx.Access', 'nginx-botsearch', isCombined, 'remoteAddr'),
    fail2ban('nginx-botsearch, errors', 'Nginx.Error', 'nginx-botsearch', isNginxError, 'client'),
    fail2ban('nginx-http-auth', 'Nginx.Error', 'nginx-http-auth', isNginxError, 'client'),
    fail2ban('nginx-limit-req', 'Nginx.Error', 'nginx-limit-req', isNginxError, 'client'),
    fail2ban('apache-badbots', 'Apache.AccessCombined', 'apache-badbots', isCombined, 'remote_host_ip_address'),
    fail2ban('apache-auth', 'Apache.Error', 'apache-auth', isApacheError, 'client'),
    fail2ban('apache-modsecurity', 'Apache.Error', 'apache-modsecurity', isApacheError, 'client'),
    fail2ban('apache-noscript', 'Apache.Error', 'apache-noscript', isApacheError, 'client'),
    fail2ban('apache-shellshock', 'Apache.Error', 'apache-shellshock', isApacheError, 'client'),
  ],
}
