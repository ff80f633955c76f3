import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { configSchema } from '../src/config/config.ts'
import { loadPath } from '../src/engine/path.ts'
import { runWith } from './support/cli.ts'

// Content that `up` cannot use, and unknown names: `validate` fails, and `up` shows the names in health.

const top = mkdtempSync(join(tmpdir(), 'caracal-validate-'))
const before = process.cwd()
// The working folder's content would count, this repository's.
mkdirSync(join(top, 'empty'))
process.chdir(join(top, 'empty'))
afterAll(() => {
  process.chdir(before)
  process.exitCode = 0
  rmSync(top, { recursive: true, force: true })
})

const caracal = (...argv: readonly string[]) =>
  runWith({ XDG_CACHE_HOME: join(top, 'cache'), CARACAL_DATA_DIR: join(top, 'data') }, argv)

let made = 0
function tree(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = join(top, String(made++))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return root
}

const simple = 'Severity: Low\nDetection: [{ Key: a, Condition: Equals, Value: 1 }]\n'
const rule = (id: string, logType: string, more = '') =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [${logType}]\n${simple}${more}`
const policy = (id: string, type: string) =>
  `AnalysisType: policy\nPolicyID: ${id}\nEnabled: true\nResourceTypes: [${type}]\nFilename: p.py\nSeverity: Low\n`
const table = (selectors: string, more = 'Filename: t.csv') =>
  `AnalysisType: lookup_table\nLookupName: t\nEnabled: true\n${more}\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes: [${selectors}]\n`
const extension = (base: string, association = 'Zeek.Conn, Selectors: [id_resp_h]') =>
  `AnalysisType: lookup_table\nExtends: ${base}\nLogTypeMap:\n  AssociatedLogTypes:\n    - { LogType: ${association} }\n`
const schema =
  'schema: Custom.Nested\nfields:\n  - name: user\n    type: object\n    fields: [{ name: addr, type: string }]\n' +
  '  - { name: list, type: array, element: { type: object, fields: [{ name: ip, type: string }] } }\n  - { name: any, type: json }\n'
const CSV = { 't.csv': 'ip,note\n192.0.2.1,x\n' }

interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, string | Uint8Array>>
  /** The messages of the problems, in order. None: exit code 0. */
  readonly says: readonly string[]
  readonly config?: string
}

const names: readonly Case[] = [
  {
    name: "a rule's log type, with the nearest name",
    files: { 'r.yml': rule('R', 'Custom.Netsat') },
    says: [
      "no schema and no source has the log type 'Custom.Netsat', so no event of it reaches rule 'R': did you mean 'Custom.Netstat'?",
    ],
  },
  {
    name: 'a log type that several rules share is one problem',
    files: { 'r.yml': rule('R', 'Acme.Door'), 's.yml': rule('S', 'Acme.Door') },
    says: ["'Acme.Door', so no event of it reaches rule 'R' and 1 more: correct the name, add a schema, or add it to"],
  },
  {
    name: 'a log type that a source names',
    files: { 'r.yml': rule('R', 'Acme.Door') },
    config: 'sources: [{ type: http, id: a, log_types: [Acme.Door] }]\n',
    says: [],
  },
  { name: "a log type of Panther's", files: { 'r.yml': rule('R', 'AWS.CloudTrail') }, says: [] },
  { name: "a new log type of a vendor of Panther's", files: { 'r.yml': rule('R', 'AWS.SomethingNewEntirely') }, says: [] },
  {
    name: "a misspelt log type of Panther's",
    files: { 'r.yml': rule('R', 'AWS.CloudTrial') },
    says: ["did you mean 'AWS.CloudTrail'?"],
  },
  {
    name: "a log type of Panther's that has another spelling here",
    files: { 'r.yml': rule('R', 'Zeek.CONN') },
    says: ["did you mean 'Zeek.Conn'?"],
  },
  {
    name: 'a table of an expression and of an inline filter, with the nearest name',
    files: {
      ...CSV,
      't.yml': table('{ LogType: Zeek.Conn, Selectors: [id_orig_h] }'),
      'r.yml': `${rule('R', 'Zeek.Conn').replace('Key: a', 'Enrichment: { Table: tt, Selector: id_orig_h, FieldPath: note }')}`,
      's.yml': rule(
        'S',
        'Zeek.Conn',
        'InlineFilters:\n  - { Enrichment: { Table: asets, Selector: id_orig_h, FieldPath: note }, Condition: Exists }\n',
      ),
    },
    says: [
      "Enrichment: there is no table 'tt', so rule 'R' never finds a row in it: did you mean 't'?",
      "there is no table 'asets', so rule 'S' never finds a row in it",
    ],
  },
  {
    name: 'tables that expressions may read',
    files: {
      ...CSV,
      't.yml': table('{ LogType: Zeek.Conn, Selectors: [id_orig_h] }'),
      'r.yml': `${rule('R', 'Zeek.Conn').replace('Key: a', 'Enrichment: { Table: t, Selector: id_orig_h, FieldPath: note }')}`,
      's.yml': `${rule('S', 'Zeek.Conn').replace('Key: a', 'Enrichment: { Table: greynoise_noise_basic, Selector: id_orig_h, FieldPath: ip }')}`,
    },
    says: [],
  },
  {
    name: 'a destination',
    files: { 'r.yml': rule('R', 'Zeek.Conn', 'OutputIds: [stdotu]\n') },
    says: ["OutputIds: no destination has the id 'stdotu', so alerts of rule 'R' are routed by severity: did you mean 'stdout'?"],
  },
  { name: 'no destination at all', files: { 'r.yml': rule('R', 'Zeek.Conn', 'OutputIds: [SKIP]\n') }, says: [] },
  {
    name: "a policy's resource type",
    files: { 'p.yml': policy('P', 'AWS.S3.Buckte'), 'p.py': 'def policy(resource):\n    return True\n' },
    says: ["the resource type 'AWS.S3.Buckte', so no resource of it reaches policy 'P': did you mean 'AWS.S3.Bucket'?"],
  },
  {
    name: "a table's log type",
    files: { 't.yml': table('{ LogType: Zeek.Cnn, Selectors: [id_orig_h] }'), ...CSV },
    says: ["the log type 'Zeek.Cnn', so no event of it reaches table 't': did you mean 'Zeek.Conn'?"],
  },
  {
    name: 'selectors',
    files: {
      's.yml': schema,
      't.yml': table(
        '{ LogType: Zeek.Conn, Selectors: [id.orig_h, id_orig_h, p_any_ip_addresses] }, { LogType: Custom.Nested, Selectors: [user.addr, user.adr, list.ip, "$.list[*].ip", any.thing.at.all, user.addr.x] }',
      ),
      ...CSV,
    },
    says: [
      "Selectors: Zeek.Conn has no field 'id' (selector 'id.orig_h'): did you mean 'id_orig_h'?",
      "Selectors: Custom.Nested has no field 'user.adr' (selector 'user.adr')",
      "Selectors: Custom.Nested has no field 'user.addr.x' (selector 'user.addr.x')",
    ],
  },
  {
    name: 'patterns of log types',
    files: {
      't.yml': table('{ LogType: Zeek.*, Selectors: [id_orig_h, id_orig_x] }, { LogType: Zeke.*, Selectors: [id_orig_h] }'),
      ...CSV,
    },
    says: [
      "no schema and no source has the log type 'Zeke.*', so no event of it reaches table 't'",
      "log types that match 'Zeek.*' has the field in the selector 'id_orig_x': did you mean 'id_orig_h'?",
    ],
  },
  { name: 'an extension of a shipped table', files: { 'x.yml': extension('tor_exit_nodes') }, says: [] },
  {
    name: 'selectors of an extension',
    files: { 'x.yml': extension('tor_exit_nodes', 'Zeek.Conn, Selectors: [id.resp_h]') },
    says: ["Selectors: Zeek.Conn has no field 'id' (selector 'id.resp_h'): did you mean 'id_resp_h'?"],
  },
  {
    name: 'an extension of a table that is not there',
    files: { 'x.yml': extension('tor_exit_node') },
    says: ["Extends: there is no table 'tor_exit_node': did you mean 'tor_exit_nodes'?"],
  },
  {
    name: 'an extension of an extension',
    files: { 'x.yml': `${extension('tor_exit_nodes')}LookupName: mine\n`, 'y.yml': extension('mine') },
    says: ["Extends: 'mine' is itself an extension: extend 'tor_exit_nodes' instead"],
  },
  {
    name: 'an extension of a disabled table',
    files: { 't.yml': table('').replace('Enabled: true', 'Enabled: false'), ...CSV, 'x.yml': extension('t') },
    says: ["Extends: the table 't' is disabled or cannot be used"],
  },
  {
    name: 'keys that only the table itself may have',
    files: { 'x.yml': `${extension('tor_exit_nodes')}Match: cidr\nSchema: X\n` },
    says: ['Schema: an extension only adds selectors', 'Match: an extension only adds selectors'],
  },
  {
    name: "a pack's ids",
    files: {
      'r.yml': rule('Some.Rule', 'Zeek.Conn'),
      'p.yml': 'AnalysisType: pack\nPackID: P\nPackDefinition: { IDs: [Some.Rle] }\n',
    },
    says: ["PackDefinition: there is no item 'Some.Rle' in this content root: did you mean 'Some.Rule'?"],
  },
  {
    name: "a scheduled rule's query",
    files: {
      'q.yml':
        'AnalysisType: scheduled_query\nQueryName: Query.One\nEnabled: true\nQuery: select 1\nSchedule: { RateMinutes: 60, TimeoutMinutes: 2 }\n',
      'r.yml':
        'AnalysisType: scheduled_rule\nRuleID: R\nEnabled: true\nScheduledQueries: [Query.Oen]\nFilename: r.py\nSeverity: Low\n',
      'r.py': 'def rule(event):\n    return True\n',
    },
    says: ["there is no scheduled query 'Query.Oen', so no row of it reaches rule 'R': did you mean 'Query.One'?"],
  },
  {
    name: "a correlation rule's rules",
    files: {
      'r.yml': rule('Some.Rule', 'Zeek.Conn'),
      'c.yml':
        'AnalysisType: correlation_rule\nRuleID: C\nEnabled: true\nSeverity: High\nDetection:\n  - Group:\n      - { ID: a, RuleID: Some.Rule }\n      - { ID: b, RuleID: Some.Rlue }\n',
    },
    says: ["there is no rule 'Some.Rlue', so no signal of it reaches correlation rule 'C': did you mean 'Some.Rule'?"],
  },
]

const unusable: readonly Case[] = [
  {
    name: "a table's missing file",
    files: { 't.yml': table('') },
    says: ["table 't' cannot be used: cannot read "],
  },
  {
    name: "a table's content that does not pass its checks",
    files: { 't.yml': `${table('')}Checks: { MustMatch: [192.0.2.99] }\n`, ...CSV },
    says: ['t.csv: the content lacks "192.0.2.99", which MustMatch names'],
  },
  {
    name: "a table's content without the key column",
    files: { 't.yml': table(''), 't.csv': 'IP,Note\n192.0.2.1,x\n' },
    says: ["t.csv: the CSV has no column 'ip' (the primary key)"],
  },
  {
    name: "a table's content that is not UTF-8",
    files: { 't.yml': table(''), 't.csv': Uint8Array.of(0x69, 0x70, 0x0a, 0xff, 0xfe, 0x0a) },
    says: ['t.csv: the content is not UTF-8 text'],
  },
  {
    name: "a table's format that is unknown",
    files: { 't.yml': table('', 'Filename: t.csv\nFormat: cvs'), ...CSV },
    says: ['Format: '],
  },
  {
    name: "a table's schema that is nowhere",
    files: { 't.yml': table('', 'Filename: t.csv\nSchema: Custom.Nesetd'), 's.yml': schema, ...CSV },
    says: ["Schema: there is no schema 'Custom.Nesetd': did you mean 'Custom.Nested'?"],
  },
  {
    name: 'a primary key that the schema lacks',
    files: { 't.yml': table('', 'Filename: t.csv\nSchema: Custom.Nested'), 's.yml': schema, ...CSV },
    says: ["t.csv: the primary key 'ip' is not a field of the schema 'Custom.Nested'"],
  },
  {
    name: 'a schema',
    files: { 's.yml': 'schema: Custom.Sx\nfields: [{ name: a, type: strnig }]\n' },
    says: ['unknown type "strnig"'],
  },
  {
    name: 'every mistake of a schema, with the names of the fields',
    files: {
      's.yml':
        'schema: Custom.Sx\nfields:\n  - { name: ok, type: string }\n  - { name: at, type: timestamp }\n' +
        '  - { name: user, type: object, fields: [{ name: ip, type: int, indicators: [ip] }] }\n  - { name: ok, type: int }\n',
    },
    says: [
      'fields.at: a timestamp needs `timeFormats`',
      'fields.user.fields.ip: `indicators` and `validate` belong to type string',
      "fields.ok: field 'ok' is there twice",
    ],
  },
  {
    name: 'the secret of a mask',
    files: {
      's.yml':
        'schema: Custom.Masked\nfields: [{ name: user, type: string, mask: { type: obfuscate, salt: { env: NO_SUCH_SALT } } }]\n',
    },
    says: ['NO_SUCH_SALT'],
  },
  {
    name: "a filter's log type",
    files: {},
    config: 'sources: [{ type: http, id: a, filters: [{ name: f, include: { log_types: [Nginx.Acess] } }] }]\n',
    says: ["filter 'f' of source 'a' names the log type 'Nginx.Acess', which has no schema: did you mean 'Nginx.Access'?"],
  },
  {
    name: 'a sample of a log type that the source does not send',
    files: {},
    config: 'sources: [{ type: http, id: a, log_types: [Zeek.Conn], sampling: { keep: 0.1, log_types: [Zeek.DNS] } }]\n',
    says: ["sampling of source 'a' names the log type 'Zeek.DNS', which is not one of the source's"],
  },
  {
    name: 'the log type of a sourcetype',
    files: {},
    config: 'sources: [{ type: splunk_hec, id: a, sourcetypes: { access_combined: Nginx.Acess } }]\n',
    says: [
      "source 'a' gives the sourcetype 'access_combined' the log type 'Nginx.Acess', which has no schema: did you mean 'Nginx.Access'?",
    ],
  },
  {
    name: 'a sourcetype of a log type that the source does not send',
    files: {},
    config: 'sources: [{ type: splunk_hec, id: a, log_types: [Nginx.Access], sourcetypes: { x: Apache.Error } }]\n',
    says: ["the log type 'Apache.Error', which is not among its `log_types`: add it there"],
  },
  {
    name: "a source's log type",
    files: {},
    config: 'sources: [{ type: http, id: a, log_types: [Zeek.Cnon] }]\n',
    says: [
      "source 'a' names the log type 'Zeek.Cnon', which has no schema and is not used by any rule or query: did you mean 'Zeek.Conn'?",
    ],
  },
]

/** Of the folder alone: that shipped rules load is shown elsewhere, and takes seconds. */
async function validate({ files, config = '' }: Case) {
  const root = tree({ ...files, '.keep': '' })
  const file = join(root, '.caracal.yml')
  writeFileSync(file, config)
  const { code, out } = await caracal(
    'validate',
    '--json',
    ...(Object.keys(files).length > 0 ? ['--path', root] : []),
    '--config',
    file,
  )
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line): { error?: string; notice?: string } => JSON.parse(line))
  return { code, root, errors: lines.flatMap(({ error }) => error ?? []), notices: lines.flatMap(({ notice }) => notice ?? []) }
}

describe('caracal validate', () => {
  test.each([...names, ...unusable])('$name', async (one) => {
    const { code, errors } = await validate(one)
    expect(errors).toEqual(one.says.map((text) => expect.stringContaining(text)))
    expect(code).toBe(one.says.length === 0 ? 0 : 1)
  })

  test("rules that wait for log types of Panther's are one notice with counts", async () => {
    const files = Object.fromEntries(
      ['AWS.Config', 'AWS.Config', 'Juniper.Firewall'].map((type, i) => [`${i}.yml`, rule(`R${i}`, type)]),
    )
    const { code, notices } = await validate({ name: '', files, says: [] })
    expect([code, notices]).toEqual([
      0,
      [
        expect.stringMatching(
          /^3 rules wait for 2 log types of Panther that have no schema .*: AWS\.Config \(2\), Juniper\.Firewall \(1\): /,
        ),
      ],
    ])
  })
})

describe('caracal up', () => {
  test.each(names)('starts, and health has the same to say: $name', async ({ files, config, says }) => {
    const sources = config === undefined ? [] : [{ log_types: ['Acme.Door'] }]
    const { problems, names: found } = await loadPath({
      content: [tree({ ...files, '.keep': '' })],
      sources,
      destinations: configSchema.parse({}).destinations,
    })
    expect([...problems, ...found].map(({ message }) => message)).toEqual(says.map((text) => expect.stringContaining(text)))
  })

  test('a disabled rule may name anything', async () => {
    const folder = tree({ 'r.yml': rule('R', 'Acme.Door').replace('Enabled: true', 'Enabled: false') })
    expect((await loadPath({ content: [folder], sources: [] })).names).toEqual([])
  })
})

describe('caracal run', () => {
  test.each(unusable.filter(({ files }) => 't.yml' in files))(
    '$name ends it before anything is read',
    async ({ files, says }) => {
      const { code, out, err } = await caracal('run', '--content', tree(files))
      expect([code, out]).toEqual([2, ''])
      expect(err).toContain(says[0])
    },
  )

  test('a table whose content is given on the command line needs no file', async () => {
    const root = tree({ 't.yml': table('') })
    const { code } = await caracal('run', '--content', root, '--table', `t=${join(tree(CSV), 't.csv')}`)
    expect(code).toBe(0)
  })
})

describe('keys of tables', () => {
  const fetched = (name: string, auth: string) =>
    `AnalysisType: lookup_table\nLookupName: ${name}\nFormat: list\nMatch: ip\nLogTypeMap: { PrimaryKey: ip }\n` +
    `Provider: { type: url, url: "https://lists.example.com/${name}", auth: ${auth} }\n`

  test('that the configuration lacks are noticed once each, with the line to add', async () => {
    const here = tree({
      'content/a.yml': fetched('a', '{ key: lists, header: Key }'),
      'content/b.yml': fetched('b', '{ key: lists, header: Key }'),
      'content/c.yml': fetched('c', '{ key: account, scheme: Basic }'),
      'content/d.yml': fetched('d', '{ key: there }'),
      'caracal.yml': 'keys: { there: { value: { env: CARACAL_DATA_DIR }, hosts: [lists.example.com] } }\n',
    })
    const { code, out } = await caracal('validate', '--content', join(here, 'content'), '--config', join(here, 'caracal.yml'))
    expect(code).toBe(0)
    expect(out.match(/^notice table.*key.*$/gm)).toEqual([
      'notice tables a, b are not fetched: they need the key \'lists\': add `keys: { lists: { value: {env: LISTS_KEY}, hosts: ["lists.example.com"] } }` to caracal.yml and restart',
      expect.stringMatching(
        /^notice table c is not fetched: it needs the key 'account': .*user: "<the user name or account id>"/,
      ),
    ])
  })
})

describe('overrides', () => {
  test('of rules in another root are in order, and unknown ids, destinations and wrong values are problems', async () => {
    const root = tree({
      'overrides.yml':
        'Overrides:\n  - { RuleID: Tor.SSH.Login, Severity: Low }\n  - { RuleID: Tor.SSH.Logn, Enabled: false }\n  - { RuleID: Tor.SSH.Login, Threshold: 0 }\n',
    })
    const file = join(root, 'overrides.yml')
    for (const flags of [
      ['--content', root],
      ['--path', root],
    ]) {
      const { code, out } = await caracal('validate', ...flags)
      expect(code).toBe(1)
      expect(out.match(/^ERROR .*$/gm)?.map((line) => line.replace(/^ERROR +/, '').split(' (is')[0])).toEqual([
        expect.stringContaining(`${file}:4: Threshold: must be at least 1`),
        `${file}:3: RuleID: there is no rule 'Tor.SSH.Logn': did you mean 'Tor.SSH.Login'?`,
      ])
    }
  }, 60_000)

  test('beside caracal.yml count where `caracal up` reads them: if that folder is a content root', async () => {
    const overrides = 'Overrides:\n  - { RuleID: Tor.SSH.Login, Severity: Low }\n'
    const here = tree({ 'caracal.yml': '{}\n', 'overrides.yml': overrides, 'content/x.txt': '' })
    process.chdir(here)
    const severity = async (content: string[]) => (await loadPath({ content, sources: [] })).rules.get('Tor.SSH.Login')?.severity
    const left = await caracal('validate')
    expect([left.code, left.out]).toEqual([1, expect.stringContaining(join(here, 'content/overrides.yml'))])
    expect(await severity([])).not.toBe('LOW')
    const named = await caracal('validate', '--content', '.')
    expect([named.code, named.out]).toEqual([0, expect.not.stringContaining('overrides')])
    expect(await severity(['.'])).toBe('LOW')
    process.chdir(join(top, 'empty'))
  }, 60_000)
})
