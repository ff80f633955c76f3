import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RuleTrace } from '../src/model/explanation.ts'
import type { Rule } from '../src/model/rule.ts'
import { createDetectors, type Detectors, endDetectors } from '../src/packs/detectors.ts'
import { loadShipped } from '../src/packs/load.ts'
import { languages } from '../src/stages/detect/index.ts'

/**
 * Rules, events, and by hand the condition that decides (the innermost, if it is in a helper), its outcome, and a value that it tested.
 */
type Pair = readonly [rule: string, event: object, decides: string, outcome: string, value?: string]

const SSH = { p_log_type: 'Zeek.SSH', id_orig_h: '203.0.113.5' }
const CONN = { p_log_type: 'Zeek.Conn', id_orig_h: '203.0.113.5', id_resp_p: 22, conn_state: 'SF', service: 'ssh' }
const PORT = { p_log_type: 'Netstat.Listening', protocol: 'tcp', state: 'LISTEN', local_address: '0.0.0.0:8080' }
const WEB = { p_log_type: 'Zeek.HTTP', method: 'GET', uri: '/index.html', status_code: 200, response_body_len: 5 }
const SSHD = { ident: 'sshd', appname: 'sshd', hostname: 'h' }
const noise = (row: object) => ({ p_enrichment: { greynoise_noise_basic: { id_orig_h: row } } })
const exit = { p_enrichment: { tor_exit_nodes: { id_orig_h: { ip: '203.0.113.5' } } } }

const SHIPPED: readonly Pair[] = [
  ['Tor.SSH.Login', { ...SSH, auth_success: false }, 'event.get("auth_success") is True', 'False', 'False'],
  ['Tor.SSH.Login', SSH, 'event.get("auth_success") is True', 'False', 'None'],
  ['Tor.SSH.Login', { ...SSH, auth_success: true }, 'rows', 'False', 'None'],
  [
    'Tor.SSH.Login',
    { ...SSH, auth_success: true, ...exit },
    'event.deep_get("p_enrichment", table, selector)',
    "{'ip': '203.0.113.5'}",
  ],
  ['Tor.SSH.Connection', { ...CONN, id_resp_p: 2222 }, 'event.get("id_resp_p") == SSH_PORT', 'False', '2222'],
  ['Tor.SSH.Connection', { ...CONN, conn_state: 'S0' }, 'event.get("conn_state") in ("SF", "S1")', 'False', "'S0'"],
  ['Tor.SSH.Connection', { ...CONN, service: 'http' }, '"ssh" in services', 'False', "['http']"],
  ['Tor.SSH.Connection', CONN, 'rows', 'False', 'None'],
  ['GreyNoise.SSH.Login', { ...SSH, auth_success: false }, 'event.get("auth_success") is True', 'False', 'False'],
  ['GreyNoise.SSH.Connection', { ...CONN, id_resp_p: 23 }, 'event.get("id_resp_p") == SSH_PORT', 'False', '23'],
  ['GreyNoise.SSH.Connection', { ...CONN, ...noise({ classification: 'benign' }) }, 'TABLES', 'ended'],
  [
    'GreyNoise.SSH.Connection',
    { ...CONN, ...noise({ classification: 'malicious' }) },
    'row.get("classification") == "malicious"',
    'True',
    "'malicious'",
  ],
  ['Netstat.UnexpectedPort', { ...PORT, local_address: '*' }, 'port in ("", "*")', 'True', "'*'"],
  [
    'Netstat.UnexpectedPort',
    { ...PORT, state: 'ESTABLISHED' },
    '(event.get("state") or "").upper() == "LISTEN"',
    'False',
    "'ESTABLISHED'",
  ],
  ['Netstat.UnexpectedPort', { ...PORT, protocol: 'raw' }, 'protocol.startswith("udp")', 'False', "'raw'"],
  ['Netstat.UnexpectedPort', { ...PORT, local_address: '127.0.0.1:8080' }, '(mapped or ip).is_loopback', 'True'],
  ['Netstat.UnexpectedPort', { ...PORT, local_address: 'localhost:8080' }, 'address == "localhost"', 'True', "'localhost'"],
  [
    'Netstat.UnexpectedPort',
    { ...PORT, p_enrichment: { allowed_ports: { local_address: { port: '8080' } } } },
    'event.deep_get("p_enrichment", "allowed_ports", "local_address") is None',
    'False',
    "{'port': '8080'}",
  ],
  ['Netstat.UnexpectedPort', PORT, 'event.deep_get("p_enrichment", "allowed_ports", "local_address") is None', 'True', 'None'],
  ['SSH.BruteForce', { ...SSH, auth_success: true }, 'event.get("action") == "login_failed"', 'False', 'None'],
  ['SSH.BruteForce', { ...SSHD, message: 'Failed password for x from 1.2.3.4 port 1' }, 'source(event) is not None', 'True'],
  ['Web.PathScan', WEB, 'status(event) in MISSING', 'False', '200'],
  ['Web.PathScan', { ...WEB, status_code: 404 }, 'status(event) in MISSING', 'True', '404'],
  ['Web.SecretProbed', WEB, '(status(event) or 0) >= 400', 'False', '200'],
  ['Web.SecretServed', { ...WEB, status_code: 404 }, 'status(event) in (200, 206)', 'False', '404'],
  ['Web.SecretServed', { ...WEB, response_body_len: 0 }, 'size(event) != 0', 'False', '0'],
  ['Web.Shell', { ...WEB, status_code: 500 }, 'status(event) != 200', 'True', '500'],
  ['Web.Shell', WEB, 'IS_SCRIPT.search(where)', 'False', "'/index.html'"],
  ['Web.Shell', { ...WEB, uri: '/a/x.php' }, 'method(event) == "POST"', 'False', "'GET'"],
  ['Web.Shell', { ...WEB, uri: '/a/x.php', method: 'POST' }, 'UPLOADED.search(where) is not None', 'False', "'/a/x.php'"],
  ['Scan.Ports', { proto: 'tcp', conn_state: 'SF' }, 'event.get("conn_state") in TRIED', 'False', "'SF'"],
  ['Scan.Ports', { proto: 'udp' }, 'event.get("protocol") == TCP', 'False', 'None'],
  ['Scan.Ports', { protocol: 6, action: 'ACCEPT' }, 'event.get("action") == "REJECT"', 'False', "'ACCEPT'"],
  ['SSH.NewCountry', { ...SSH, auth_success: false }, 'event.get("action") == "login_succeeded"', 'False', 'None'],
  ['SSH.NewCountry', { ...SSH, auth_success: true }, 'code is None', 'True', 'None'],
]

const equals = (Key: string, Value: string | number) => ({ Key, Condition: 'Equals', Value })

/** The same for rules in YAML: the detection, the event, the place and words of the condition, its outcome and value. */
const YAML: readonly (readonly [
  detection: object,
  event: object,
  path: string,
  words: string,
  outcome: string,
  value: string,
])[] = [
  [[equals('a', 1)], { a: 2 }, 'Detection.0', 'a equals 1', 'False', '2'],
  [[equals('a', 1), equals('b', 2)], { a: 1, b: 3 }, 'Detection.1', 'b equals 2', 'False', '3'],
  [[equals('a', 1), equals('b', 2)], { a: 0, b: 3 }, 'Detection.0', 'a equals 1', 'False', '0'],
  [[equals('a', 'x')], {}, 'Detection.0', 'a equals "x"', 'False', 'missing'],
  [
    [{ KeyPath: 'a.b[1]', Condition: 'StartsWith', Value: 'x' }],
    { a: { b: ['x', 'y'] } },
    'Detection.0',
    'a.b[1] starts with "x"',
    'False',
    '"y"',
  ],
  [
    [{ Key: 'a', Condition: 'DoesNotContain', Value: 'x' }],
    { a: 'axb' },
    'Detection.0',
    'a does not contain "x"',
    'False',
    '"axb"',
  ],
  [[{ Key: 'a', Condition: 'IsIn', Values: [1, 2] }], { a: 3 }, 'Detection.0', 'a is one of [1,2]', 'False', '3'],
  [[{ Key: 'a', Condition: 'IsGreaterThan', Value: 5 }], { a: 5 }, 'Detection.0', 'a is greater than 5', 'False', '5'],
  [[{ Key: 'a', Condition: 'Exists' }], { b: 1 }, 'Detection.0', 'a exists', 'False', 'missing'],
  [[{ Key: 'a', Condition: 'IsNotNull' }], { a: null }, 'Detection.0', 'a is not null', 'False', 'null'],
  [[{ Key: 'a', Condition: 'IEquals', Value: 'X' }], { a: 'y' }, 'Detection.0', 'a equals "X" (in any case)', 'False', '"y"'],
  [
    [{ Key: 'ip', Condition: 'IsIPAddressInCIDR', Value: '10.0.0.0/8' }],
    { ip: '192.0.2.1' },
    'Detection.0',
    'ip is in 10.0.0.0/8',
    'False',
    '"192.0.2.1"',
  ],
  [
    [{ Key: 'ip', Condition: 'IsIPAddressPublic' }],
    { ip: '10.0.0.1' },
    'Detection.0',
    'ip is a public IP address',
    'False',
    '"10.0.0.1"',
  ],
  [[{ Any: [equals('a', 1), equals('b', 2)] }], { a: 2, b: 2 }, 'Detection.0.Any.1', 'b equals 2', 'True', '2'],
  [
    [{ All: [equals('a', 1), { None: [equals('b', 2)] }] }],
    { a: 1, b: 2 },
    'Detection.0.All.1.None.0',
    'b equals 2',
    'True',
    '2',
  ],
  [[{ OnlyOne: [equals('a', 1), equals('b', 2)] }], { a: 2, b: 3 }, 'Detection.0.OnlyOne.0', 'a equals 1', 'False', '2'],
  [
    [{ Key: 'l', Condition: 'AnyElement', Expressions: [equals('n', 1)] }],
    { l: [{ n: 2 }] },
    'Detection.0',
    'any element of l: n equals 1',
    'False',
    '[{"n":2}]',
  ],
  [[{ Condition: 'Equals', Values: [{ Key: 'a' }, { Key: 'b' }] }], { a: 1, b: 2 }, 'Detection.0', 'a equals b', 'False', '1'],
]

let detectors: Detectors
beforeAll(async () => {
  const { helpers, dataModels, rules } = await loadShipped()
  const own = YAML.map(([detection], at): Rule => {
    const source = { language: 'simple', file: `/y/${at}.yml`, code: JSON.stringify({ Detection: detection }) }
    return { ...rules[0]!, id: `yaml ${at}`, file: source.file, source }
  })
  const ids = new Set(SHIPPED.map(([id]) => id))
  const chosen = [...rules.filter(({ id }) => ids.has(id)), ...own]
  detectors = await createDetectors({ helpers, dataModels, rules: chosen }, languages, undefined, true)
})
afterAll(() => endDetectors(detectors))

async function traceOf(id: string, event: object): Promise<RuleTrace> {
  const log = JSON.stringify(event)
  const run = await detectors.get(id)!.test(id, { name: '', expectedResult: true, log, mocks: [], trace: true })
  expect(run.errors['detection']).toBeUndefined()
  return run.trace!
}

describe('shipped rules', () => {
  test.each(SHIPPED.map((pair, at) => [at, ...pair] as const))('%i: %s', async (_at, id, event, decides, outcome, value) => {
    const { decided } = await traceOf(id, event)
    const step = decided.find(({ text }) => text === decides)
    expect(step, JSON.stringify(decided)).toBeDefined()
    expect(step!.outcome).toBe(outcome)
    if (value !== undefined) expect(step!.values.map(([, one]) => one)).toContain(value)
  })
})

describe('rules in YAML', () => {
  test.each(YAML.map((pair, at) => [at, ...pair] as const))('%i', async (at, _detection, event, path, words, outcome, value) => {
    const { decided } = await traceOf(`yaml ${at}`, event)
    const step = decided[0]!
    expect([step.function, step.text, step.outcome]).toEqual([path, words, outcome])
    expect(step.values.map(([, one]) => one)).toContain(value)
  })
})
