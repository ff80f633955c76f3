// Builds lookup tables from the real lists below DIR and checks known facts about them:
// `npm run build && node scripts/conformance-tables.mjs DIR`. Prints a line with a number for each fact; exit code 1 if one does not hold.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'

const root = join(fileURLToPath(import.meta.url), '../..')
const load = (path) => import(pathToFileURL(join(root, 'dist', path)).href)
const { buildTable } = await load('stages/enrich/build.js')
const { defineTable } = await load('stages/enrich/definition.js')

const folder = process.argv[2] && resolve(process.argv[2])
if (!folder) {
  console.error('Usage: node scripts/conformance-tables.mjs DIR (the folder that holds threat-intel/ and geo/)')
  process.exit(2)
}
let breaches = 0

/** Prints the result next to the expected value. */
function line(what, found, known) {
  const holds = JSON.stringify(found) === JSON.stringify(known)
  if (!holds) breaches++
  console.log(
    `${holds ? 'ok      ' : 'BREACH  '} ${what}: ${JSON.stringify(found)}${holds ? '' : `, known is ${JSON.stringify(known)}`}`,
  )
}

function definition(more = {}, key = 'key') {
  const document = { AnalysisType: 'lookup_table', LookupName: 't', Filename: 't', LogTypeMap: { PrimaryKey: key }, ...more }
  return defineTable(document, { file: join(root, 't.yml') })
}
const bytesOf = (path) => {
  const bytes = readFileSync(join(folder, path))
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}
const tableOf = (path, more, key) =>
  buildTable(definition(more, key), undefined, { bytes: bytesOf(path), fileName: path.replace(/\.gz$/, '') })
const textOf = (path) => bytesOf(path).toString()
const entries = (path, end = /[;#\s]/) =>
  textOf(path)
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text !== '' && !/^[;#]/.test(text))
    .map((text) => text.split(end)[0])

// Tor: two formats of one day, the list of the day of an alert, and the lists of the days of the web server's logs.
const tor = 'threat-intel/tor'
const bulk = await tableOf(`${tor}/check.torproject.org/torbulkexitlist.2024-03-12`, { Format: 'tor', Match: 'ip' })
const exits = await tableOf(`${tor}/check.torproject.org/exit-addresses.2024-03-12`, { Format: 'tor', Match: 'ip' })
line('Tor exits of 12 March 2024, bulk list and exit-addresses', [bulk.size, exits.size], [1174, 1174])
const listed = entries(`${tor}/check.torproject.org/torbulkexitlist.2024-03-12`)
line('… addresses of the one that the other lacks', listed.filter((one) => exits.find(one) < 0).length, 0)
const may = await tableOf(`${tor}/secops-institute/tor-exit-nodes.2023-05-15.lst`, { Match: 'ip' })
line('45.139.122.241 is an exit on 15 May 2023', may.find('45.139.122.241') >= 0, true)
const march = await tableOf(`${tor}/secops-institute/tor-exit-nodes.2018-03-24.lst`, { Match: 'ip' })
line(
  'the exits of two Suricata alerts of 24 March 2018',
  ['204.11.50.131', '5.9.158.75'].map((one) => march.find(one) >= 0),
  [true, true],
)

const older = await tableOf(`${tor}/secops-institute/tor-exit-nodes.2020-05-02.lst`, { Match: 'ip' })
line('185.220.101.206, a host of a Suricata log of 2021, is an exit on 2 May 2020', older.find('185.220.101.206') >= 0, true)
const six = entries(`${tor}/secops-institute/tor-exit-nodes.2023-05-15.lst`).filter((one) => one.includes(':'))
line('IPv6 exits of 15 May 2023, and those not found', [six.length, six.filter((one) => may.find(one) < 0).length], [812, 0])
for (const [name, fingerprints] of [
  ['latest.all.2024-04-19T11.csv', 'relays'],
  ['latest.exits.2024-04-19T11.csv', 'exits'],
  ['latest.exits.2024-04-20T11.csv', 'exits'],
]) {
  const table = await tableOf(`${tor}/tor-nodes/${name}`, { Format: 'tor', Match: 'ip' })
  const addresses = textOf(`${tor}/tor-nodes/${name}`)
    .trim()
    .split('\n')
    .slice(1)
    .map((text) => text.split(',')[1].trim())
  const missing = addresses.filter((one) => table.find(one) < 0).length
  line(
    `${name}: addresses of ${fingerprints}, and those not found`,
    [new Set(addresses).size, missing],
    [new Set(addresses).size, 0],
  )
}

// Each list of networks: all of its lines are keys, and each key is found by its first and last address.
for (const path of [
  'spamhaus/drop.txt',
  'spamhaus/edrop.txt',
  'spamhaus/drop_ipv6.txt',
  'x4bnet-vpn/ipv4.txt',
  'x4bnet-vpn/ipv6.txt',
]) {
  const table = await tableOf(`threat-intel/${path}`, { Match: 'cidr' })
  const keys = entries(`threat-intel/${path}`)
  const missing = keys.flatMap((key) => addressesOf(key)).filter((address) => table.find(address) < 0)
  line(
    `${path}: networks, and ends of them that are not found`,
    [table.size, table.skipped.count, missing.length],
    [new Set(keys).size, 0, 0],
  )
}
const ipsum = entries('threat-intel/ipsum/ipsum.txt.gz')
const reputation = await tableOf('threat-intel/ipsum/ipsum.txt.gz', { Format: 'list', Match: 'ip' })
line(
  'IPsum: addresses, and those not found',
  [reputation.size, ipsum.filter((one) => reputation.find(one) < 0).length],
  [new Set(ipsum).size, 0],
)
line('IPsum: lists that name 77.90.185.20', reputation.get('77.90.185.20')?.note, '10')

for (const level of [3, 5, 8]) {
  const named = entries(`threat-intel/ipsum/${level}.txt`)
  const fewer = named.filter((one) => !(Number(reputation.get(one)?.note) >= level))
  line(`IPsum level ${level}: addresses, and those that fewer lists name`, [named.length, fewer.length], [named.length, 0])
}

const systems = await tableOf('threat-intel/spamhaus/asn_drop.json', { Format: 'jsonl' }, 'asn')
line(
  'ASN-DROP: systems, lines without one, and the name of 932',
  [systems.size, systems.skipped.count, systems.get('932')?.asname],
  [201, 1, 'XNNET'],
)
const disposable = await tableOf('lookup-tables/disposable_email_blocklist.conf', { Format: 'list', Match: 'domain' })
line('disposable mail domains', disposable.size, new Set(entries('lookup-tables/disposable_email_blocklist.conf')).size)
for (const name of readdirSync(join(folder, 'lookup-tables/misp-warninglists'))) {
  const path = `lookup-tables/misp-warninglists/${name}`
  const { list, type } = JSON.parse(textOf(path))
  const table = await tableOf(path, { Format: 'misp', ...(!/^(cidr|hostname|string)$/.test(type) && { Match: 'domain' }) })
  line(`MISP ${name} (${type}): entries, and those that are no keys`, [table.size, table.skipped.count], [list.length, 0])
}

// MaxMind's test databases against their sources, and its broken ones.
const withoutTranslations = (value) =>
  Array.isArray(value)
    ? value.map(withoutTranslations)
    : value && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value).map(([key, one]) => [key, key === 'names' && one.en ? { en: one.en } : withoutTranslations(one)]),
        )
      : value
const sorted = (value) =>
  Array.isArray(value)
    ? value.map(sorted)
    : value && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, one]) => [key, sorted(one)]),
        )
      : value
/** A network of IPv4 addresses that is written as one of IPv6 below `::/96`. */
const plain = (network) => {
  const [, address, bits] = /^::(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(network) ?? []
  return address ? `${address}/${bits - 96}` : network
}
const maxmind = 'geo/maxmind'
for (const name of readdirSync(join(folder, maxmind, 'source-data'))) {
  const table = await tableOf(`${maxmind}/test-data/${name.replace('.json', '.mmdb')}`)
  const rows = JSON.parse(textOf(`${maxmind}/source-data/${name}`)).flatMap((part) => Object.entries(part))
  // Networks are nested: the longest one decides for an address.
  const bytes = Buffer.from(rows.map(([network, row]) => JSON.stringify({ key: plain(network), row })).join('\n'))
  const source = await buildTable(definition({ Match: 'cidr', Format: 'jsonl' }), undefined, { bytes })
  const asked = rows.flatMap(([network]) => addressesOf(plain(network)))
  const different = asked.filter(
    (address) =>
      JSON.stringify(sorted(table.get(address))) !== JSON.stringify(sorted(withoutTranslations(source.get(address)?.row))),
  )
  line(`${name}: addresses asked, different answers`, [asked.length, different.length], [rows.length * 2, 0])
  if (different.length > 0) console.log(different.slice(0, 3), table.get(different[0]), source.get(different[0]))
}
const broken = readdirSync(join(folder, maxmind, 'bad-data'))
const accepted = []
for (const name of broken) {
  const built = await tableOf(`${maxmind}/bad-data/${name}`, { Format: 'mmdb' }).catch((error) => error)
  if (built instanceof Error) console.log(`          ${name}: ${built.message}`)
  else accepted.push(name)
}
// Valid files whose last value once made a C reader read past their end.
const sound = ['libmaxminddb-empty-array-last-in-metadata.mmdb', 'libmaxminddb-empty-map-last-in-metadata.mmdb']
line(
  'MaxMind’s bad-data: files refused, and those that break no rule of the format',
  [broken.length - accepted.length, accepted],
  [broken.length - sound.length, sound],
)

// IPinfo's samples: the CSV beside each database says what is in it; two databases are samples of other networks.
const OTHER_NETWORKS = new Set(['asn_sample.csv', 'ip_geolocation_sample.csv'])
const ipinfo = 'geo/ipinfo'
for (const set of readdirSync(join(folder, ipinfo))) {
  for (const name of readdirSync(join(folder, ipinfo, set)).filter((one) => one.endsWith('.csv'))) {
    const [path, twin] = [`${ipinfo}/${set}/${name}`, `${ipinfo}/${set}/${name.replace('.csv', '.mmdb')}`]
    if (!existsSync(join(folder, twin))) continue
    const table = await tableOf(twin)
    const { parse } = await import('csv-parse/sync')
    const rows = parse(textOf(path), { columns: true })
    const addressOf = (row) => row.start_ip ?? row.network.split('/')[0]
    if (OTHER_NETWORKS.has(name)) {
      line(`${name}: rows of the CSV whose networks the database has`, rows.filter((row) => table.get(addressOf(row))).length, 0)
      continue
    }
    let different = 0
    for (const row of rows) {
      const address = addressOf(row)
      const found = table.get(address) ?? {}
      const { network: _, start_ip: _start, end_ip: _end, join_key: _join, ...columns } = row
      const isSame = Object.entries(columns).every(([column, value]) => String(found[column] ?? '') === value)
      if (!isSame && different++ === 0)
        console.log(`          ${name}, ${address}: ${JSON.stringify(columns)} and ${JSON.stringify(found)}`)
    }
    line(`${name}: rows of the CSV that the database has otherwise`, [rows.length, different], [rows.length, 0])
  }
}

// Two days of a web server's connections, joined.
const days = { '2024-04-19': [1, 492, 17, 4], '2024-04-20': [4, 488, 10, 0] }
const work = mkdtempSync(join(tmpdir(), 'caracal-tables-'))
const own = (name, file, match) => {
  copyFileSync(file, join(work, `${name}.txt`))
  writeFileSync(
    join(work, `${name}.yml`),
    `AnalysisType: lookup_table\nLookupName: ${name}\nFilename: ${name}.txt\nMatch: ${match}\nLogTypeMap:\n  PrimaryKey: key\n  AssociatedLogTypes:\n    - { LogType: Zeek.Conn, Selectors: [id_orig_h] }\n`,
  )
}
own('drop', join(folder, 'threat-intel/spamhaus/drop.txt'), 'cidr')
own('vpn', join(folder, 'threat-intel/x4bnet-vpn/ipv4.txt'), 'cidr')
const answers = join(work, 'greynoise.json')
const grey = join(folder, 'threat-intel/greynoise')
writeFileSync(
  answers,
  readdirSync(grey, { recursive: true })
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.stringify(JSON.parse(readFileSync(join(grey, name), 'utf8'))))
    .join('\n'),
)
/** Sources that are in Spamhaus DROP, rows of the addresses that GreyNoise's documents name, and the connections from Tor. */
const details = {
  '2024-04-19': [
    49,
    { '128.14.237.130 malicious': 1, '152.32.206.64 malicious': 1, '71.6.135.131 benign': 2 },
    ['CGv0F22WzS1fcqtfej'],
  ],
  '2024-04-20': [42, {}, ['CBEfXYL2i7MKaykpe', 'CHPKxV3NORBDCNHjt6', 'COx1NfWiwR6v2UAql', 'CfEohQ18fwVd3zZEDa']],
}
for (const [day, [torRows, dropRows, vpnRows, greyRows]] of Object.entries(days)) {
  const logs = join(folder, 'zeek/do-server-2024', day)
  const conns = readdirSync(logs)
    .filter((name) => name.startsWith('conn.'))
    .map((name) => join(logs, name))
  const list = join(folder, tor, `tor-nodes/latest.exits.${day}T11.csv`)
  const tables = [`tor_exit_nodes=${list}`, `greynoise_noise_basic=${answers}`].flatMap((one) => ['--table', one])
  const run = spawnSync(
    process.execPath,
    [join(root, 'bin/caracal.js'), 'run', ...conns, '--emit', 'events', '--content', work, ...tables],
    {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    },
  )
  if (run.status !== 0) throw new Error(run.stderr)
  const events = run.stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  const joined = (table) => events.filter((event) => event.p_enrichment?.[table]?.id_orig_h).length
  const found = ['tor_exit_nodes', 'drop', 'vpn', 'greynoise_noise_basic'].map(joined)
  line(`${day}: ${events.length} connections; rows from Tor, Spamhaus DROP, X4BNet VPN, GreyNoise`, found, [
    torRows,
    dropRows,
    vpnRows,
    greyRows,
  ])
  const from = (table) => events.filter((event) => event.p_enrichment?.[table]?.id_orig_h)
  const judged = from('greynoise_noise_basic').map(
    (event) => `${event.id_orig_h} ${event.p_enrichment.greynoise_noise_basic.id_orig_h.classification}`,
  )
  const counted = Object.fromEntries(
    [...new Set(judged)].sort().map((one) => [one, judged.filter((other) => other === one).length]),
  )
  const sources = new Set(from('drop').map((event) => event.id_orig_h)).size
  const exitRows = from('tor_exit_nodes')
    .map(({ uid }) => uid)
    .sort()
  line(
    `${day}: sources in Spamhaus DROP, verdicts of GreyNoise, connections from Tor`,
    [sources, counted, exitRows],
    details[day],
  )
}
rmSync(work, { recursive: true })
console.log(breaches === 0 ? 'no breach' : `${breaches} breaches`)
process.exit(breaches === 0 ? 0 : 1)

/** The first and the last address of a network. */
function addressesOf(network) {
  const [address, bits] = network.split('/')
  if (!address.includes(':')) {
    const start = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
    const length = bits === undefined ? 32 : Number(bits)
    const first = Math.floor(start / 2 ** (32 - length)) * 2 ** (32 - length)
    const last = first + 2 ** (32 - length) - 1
    return [first, last].map((one) => [24, 16, 8, 0].map((shift) => Math.floor(one / 2 ** shift) % 256).join('.'))
  }
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [head, tail = []] = groups.map((part) => (part === '' ? [] : part.split(':')))
  const all = groups.length === 1 ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail]
  const value = all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
  const host = BigInt(128 - (bits === undefined ? 128 : Number(bits)))
  const first = (value >> host) << host
  return [first, first + (1n << host) - 1n].map((one) =>
    Array.from({ length: 8 }, (_, i) => ((one >> BigInt(16 * (7 - i))) & 0xffffn).toString(16)).join(':'),
  )
}
