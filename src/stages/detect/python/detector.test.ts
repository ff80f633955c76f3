import { afterEach, expect, test, vi } from 'vitest'
import type { DetectionContent } from '../../../model/rule.ts'
import type { Detector } from '../language.ts'
import { python } from './index.ts'
import { errorsOf, makeBatch, makeHelper, makeRule, makeTest, matchesOf } from './rule.fixture.ts'

// Most tests start their own child, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 300_000 })

const open: Detector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

async function detect(content: Partial<DetectionContent>, { timeoutMs = 5000, all = false } = {}): Promise<Detector> {
  const detector = await python.create({ rules: [], helpers: [], ...content }, { timeoutMs, all })
  open.push(detector)
  return detector
}

const ZEEK_HELPERS = `
SSH_PORT = 22

def get_originator_ip(event):
    return event['id_orig_h']

def successfull_ssh_connection(event):
    return event['id_resp_p'] == SSH_PORT and event['conn_state'] == 'S0' and event['history'] == 'ScADCc'
`
const CONNECTION = { id_orig_h: '185.220.101.4', id_resp_p: 22, conn_state: 'S0', history: 'ScADCc' }
const TOR = { p_enrichment: { tor_exit_nodes: { id_orig_h: { ip: '185.220.101.4', p_match: '185.220.101.4' } } } }

test('a rule with its own helper and shipped helpers finds SSH from a Tor exit node', async () => {
  const tor = makeRule(
    'SSH.Tor',
    `
    import zeek_helpers as zeek_h
    import panther_tor_helpers as p_tor_h

    def rule(event):
        if not zeek_h.successfull_ssh_connection(event):
            return False
        return p_tor_h.TorExitNodes(event).has_exit_nodes()

    def title(event):
        return f"SSH Connection Established from TOR Exit Node ({zeek_h.get_originator_ip(event)})"
  `,
  )
  const noise = makeRule(
    'SSH.Noise',
    `
    import zeek_helpers as zeek_h
    from panther_greynoise_helpers import GreyNoiseBasic

    def rule(event):
        return zeek_h.successfull_ssh_connection(event) and GreyNoiseBasic(event).classification('id_orig_h') == 'malicious'
  `,
  )
  const detector = await detect({
    rules: [tor, noise],
    helpers: [makeHelper('zeek_helpers', ZEEK_HELPERS, '/root', '/root/rules')],
  })
  const malicious = {
    p_enrichment: { greynoise_noise_basic: { id_orig_h: { ip: '185.220.101.4', classification: 'malicious' } } },
  }
  const findings = await detector.evaluate(
    makeBatch([CONNECTION, { ...CONNECTION, ...TOR }, { ...CONNECTION, id_resp_p: 80, ...TOR }, { ...CONNECTION, ...malicious }]),
  )
  expect(detector.setupErrors).toEqual([])
  expect(matchesOf(findings).map((m) => [m.event, m.ruleId, m.title])).toEqual([
    [1, 'SSH.Tor', 'SSH Connection Established from TOR Exit Node (185.220.101.4)'],
    [3, 'SSH.Noise', 'Name of SSH.Noise'],
  ])
  expect(errorsOf(findings)).toEqual([])
})

test('return values of the functions are on the match, within the limits', async () => {
  const rule = makeRule(
    'All',
    `
    def rule(event): return True
    def title(event): return 't' * event['n']
    def dedup(event): return 'd' * event['n']
    def description(event): return 'own description'
    def reference(event): return 'own reference'
    def runbook(event): return 'own runbook'
    def severity(event): return 'criTical'
    def destinations(event): return [str(i) for i in range(event['n'])]
    def alert_context(event): return {'nested': event['nested'], 'text': 'é\\ud800'}
  `,
  )
  const detector = await detect({ rules: [rule] })
  const [long, empty] = matchesOf(
    await detector.evaluate(
      makeBatch([
        { n: 2000, nested: { a: [1] } },
        { n: 0, nested: {} },
      ]),
    ),
  )
  expect(long).toMatchObject({
    title: `${'t'.repeat(985)}... (truncated)`,
    dedup: `${'d'.repeat(985)}... (truncated)`,
    description: 'own description',
    reference: 'own reference',
    runbook: 'own runbook',
    severity: 'CRITICAL',
    destinations: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    functionErrors: {},
  })
  expect(JSON.parse(long!.alertContext!)).toEqual({ nested: { a: [1] }, text: 'é\ufffd' })
  expect(empty).toMatchObject({ title: '', dedup: 'defaultDedupString:All', destinations: ['SKIP'] })
})

test('without functions the metadata is used', async () => {
  const detector = await detect({
    rules: [
      makeRule('Plain', 'def rule(event): return True'),
      makeRule('Nameless', 'def rule(event): return True', { displayName: undefined }),
      makeRule('Titled', 'def rule(event): return True\ndef title(event): return "x"\ndef severity(event): return "default"'),
    ],
  })
  const [plain, nameless, titled] = matchesOf(await detector.evaluate(makeBatch([{}])))
  expect(plain).toEqual({
    kind: 'match',
    ruleId: 'Plain',
    event: 0,
    title: 'Name of Plain',
    dedup: 'defaultDedupString:Plain',
    severity: 'MEDIUM',
    description: 'YAML description',
    reference: 'YAML reference',
    runbook: 'YAML runbook',
    destinations: undefined,
    alertContext: undefined,
    functionErrors: {},
  })
  expect(nameless!.title).toBe('Nameless')
  expect(titled).toMatchObject({ title: 'x', dedup: 'x', severity: 'MEDIUM' })
})

// Each function fails in turn: the match remains, with the fallback and the error.
const FALLBACKS = [
  ['title raises', 'title', "raise KeyError('x')", { title: 'F', dedup: 'F' }],
  ['title returns None', 'title', 'return None', { title: 'F', dedup: 'F' }],
  ['dedup returns a number', 'dedup', 'return 5', { title: 'Name of F', dedup: 'defaultDedupString:F' }],
  ['severity is unknown', 'severity', "return 'URGENT'", { severity: 'MEDIUM' }],
  ['description raises', 'description', '1 / 0', { description: 'YAML description' }],
  ['reference returns a list', 'reference', 'return []', { reference: 'YAML reference' }],
  ['runbook exits', 'runbook', 'raise SystemExit', { runbook: 'YAML runbook' }],
  ['destinations is a string', 'destinations', "return 'slack'", { destinations: undefined }],
  ['alert_context raises', 'alert_context', "raise ValueError('no')", { alertContext: '{"_error": "ValueError(\'no\')"}' }],
  ['alert_context is a list', 'alert_context', 'return []', { alertContext: expect.stringContaining('expected [Mapping]') }],
  [
    'alert_context holds a set',
    'alert_context',
    "return {'a': {1}}",
    { alertContext: expect.stringContaining('not JSON serializable') },
  ],
  [
    'alert_context holds itself',
    'alert_context',
    "a = {}; a['a'] = a; return a",
    { alertContext: expect.stringContaining('Circular') },
  ],
  ['title does not end', 'title', '\n    while True: pass', { title: 'F' }],
] as const

test('a failing function other than rule() never loses the match', async () => {
  const rules = FALLBACKS.map(([, name, body], i) =>
    makeRule(`F${i}`, `def rule(event): return True\ndef ${name}(event): ${body}`),
  )
  const detector = await detect({ rules }, { timeoutMs: 300 })
  const matches = matchesOf(await detector.evaluate(makeBatch([{}])))
  expect(matches).toHaveLength(FALLBACKS.length)
  for (const [i, [name, fn, , expected]] of FALLBACKS.entries()) {
    const renamed = JSON.parse(JSON.stringify(matches[i]).replaceAll(`F${i}`, 'F')) as object
    expect({ destinations: undefined, ...renamed }, name).toMatchObject(expected)
    expect(Object.keys(matches[i]!.functionErrors), name).toEqual([fn])
    expect(matches[i]!.functionErrors[fn], name).toContain(`/root/rules/F${i}.py`)
  }
})

test('an alert_context that is too large is replaced by its size, without an error', async () => {
  const detector = await detect({
    rules: [makeRule('Big', "def rule(event): return True\ndef alert_context(event): return {'a': 'é' * 40000}")],
  })
  const [match] = matchesOf(await detector.evaluate(makeBatch([{}])))
  expect(match!.alertContext).toBe(
    '{"_error": "alert_context size is [240009] characters, bigger than maximum of [204800] characters"}',
  )
  expect(match!.functionErrors).toEqual({})
})

const ANSWERS = [
  ['None', 'NoneType'],
  ['1', 'int'],
  ["'yes'", 'str'],
  ['event', 'PantherEvent'],
] as const

test('a number in alert_context that JSON cannot represent becomes text, and the rest is unchanged', async () => {
  const code = "def rule(event): return True\ndef alert_context(event): return {'a': float('nan'), 'b': [-float('inf'), 1]}"
  const findings = await (await detect({ rules: [makeRule('R', code)], helpers: [] })).evaluate(makeBatch([{}]))
  expect(matchesOf(findings)[0]!.alertContext).toBe('{"a": "nan", "b": ["-inf", 1]}')
  expect(errorsOf(findings)).toEqual([])
})

test('rule() must return a real bool', async () => {
  const detector = await detect({
    rules: ANSWERS.map(([value], i) => makeRule(`R${i}`, `\n\ndef rule(event):\n    return ${value}`)),
  })
  const errors = errorsOf(await detector.evaluate(makeBatch([{}])))
  expect(errors.map((e) => [e.cause, e.message])).toEqual(
    ANSWERS.map(([, type], i) => [
      'return_type',
      `/root/rules/R${i}.py:1 in rule: detection [R${i}] function [rule] returned [${type}], expected [bool]`,
    ]),
  )
})

test('an exception names the file, the line and the function where it happened', async () => {
  const rules = [
    makeRule('Own', "def rule(event):\n    x = 1\n    return event['missing']"),
    makeRule('InHelper', 'import h\ndef rule(event):\n    return h.fail(event)'),
  ]
  const detector = await detect({ rules, helpers: [makeHelper('h', 'def fail(event):\n\n    return 1 / 0')] })
  expect(errorsOf(await detector.evaluate(makeBatch([{}]))).map((e) => e.message)).toEqual([
    "/root/rules/Own.py:3 in rule: KeyError: 'missing'",
    '/root/helpers/h.py:3 in fail: ZeroDivisionError: division by zero',
  ])
})

test('rules that cannot be loaded are reported at startup, and the others run', async () => {
  const rules = [
    makeRule('Syntax', 'x = 1\ndef rule(event) return True'),
    makeRule('Import', 'import no_such_module\ndef rule(event): return True'),
    makeRule('Raises', 'X = {}["a"]\ndef rule(event): return True'),
    makeRule('NoRule', 'def rules(event): return True'),
    makeRule('Fine', 'def rule(event): return True'),
  ]
  const detector = await detect({ rules })
  expect(detector.setupErrors.map((e) => [e.ruleId, e.event, e.cause])).toEqual([
    ['Syntax', -1, 'import'],
    ['Import', -1, 'import'],
    ['Raises', -1, 'import'],
    ['NoRule', -1, 'import'],
  ])
  const messages = detector.setupErrors.map((e) => e.message)
  expect(messages[0]).toMatch(/^\/root\/rules\/Syntax\.py:2: SyntaxError: /)
  expect(messages[1]).toMatch(/^\/root\/rules\/Import\.py:1 in <module>: ModuleNotFoundError: No module named 'no_such_module'/)
  expect(messages[3]).toMatch(/^\/root\/rules\/NoRule\.py: AttributeError: detection needs to have a method named 'rule'/)
  const findings = await detector.evaluate(makeBatch([{}, {}]))
  expect(findings.map((f) => [f.kind, f.ruleId, f.event])).toEqual([
    ['match', 'Fine', 0],
    ['match', 'Fine', 1],
  ])
})

test('findings are ordered by event, then by rule, over crossings and calls', async () => {
  const rules = ['A', 'B', 'C'].map((id) => makeRule(id, `def rule(event): return event['n'] % ${id === 'B' ? 3 : 2} == 0`))
  const detector = await detect({ rules })
  const numbers = Array.from({ length: 1300 }, (_, n) => ({ n, padding: 'x'.repeat(n === 700 ? 2_000_000 : 10) }))
  const [first, second] = await Promise.all([detector.evaluate(makeBatch(numbers)), detector.evaluate(makeBatch([{ n: 6 }]))])
  const expected = numbers.flatMap(({ n }) =>
    ['A', 'B', 'C'].filter((id) => n % (id === 'B' ? 3 : 2) === 0).map((id) => `${n}${id}`),
  )
  expect(first.map((f) => `${f.event}${f.ruleId}`)).toEqual(expected)
  expect(second.map((f) => f.ruleId)).toEqual(['A', 'B', 'C'])
  const timings = detector.timings()
  expect(timings.map((t) => [t.ruleId, t.events])).toEqual(['A', 'B', 'C'].map((id) => [id, 1301]))
  expect(timings.every((t) => t.seconds > 0)).toBe(true)
  expect(detector.timings()).toEqual([])
})

test('values that rule() saves for title() belong to the same event, and state persists', async () => {
  const rule = makeRule(
    'State',
    `
    SEEN = []
    LAST = None

    def rule(event):
        global LAST
        LAST = event['n']
        SEEN.append(LAST)
        return True

    def title(event):
        return f"{LAST} of {len(SEEN)}"
  `,
  )
  const detector = await detect({ rules: [rule] })
  const titles = matchesOf(await detector.evaluate(makeBatch([{ n: 'a' }, { n: 'b' }]))).map((m) => m.title)
  expect(titles).toEqual(['a of 1', 'b of 2'])
  expect(matchesOf(await detector.evaluate(makeBatch([{ n: 'c' }])))[0]!.title).toBe('c of 3')
})

test('helpers: own folder before own root before shipped ones, and roots do not see each other', async () => {
  const say = (id: string, file: string) =>
    makeRule(
      id,
      "import which\nimport panther_tor_helpers as tor\ndef rule(event): return True\ndef title(event): return f\"{which.NAME} {getattr(tor, 'NAME', 'shipped')}\"",
      {
        source: {
          language: 'python',
          file,
          code: "import which\nimport panther_tor_helpers as tor\ndef rule(event): return True\ndef title(event): return f\"{which.NAME} {getattr(tor, 'NAME', 'shipped')}\"",
        },
      },
    )
  const detector = await detect({
    rules: [say('Root', '/one/rules/a.py'), say('Folder', '/one/special/a.py'), say('Other', '/two/rules/a.py')],
    helpers: [
      makeHelper('which', "NAME = 'one'", '/one'),
      makeHelper('which', "NAME = 'folder'", '/one', '/one/special'),
      makeHelper('which', "NAME = 'two'", '/two'),
      makeHelper('panther_tor_helpers', "NAME = 'own'", '/two'),
      makeHelper('json', "raise Exception('the standard library wins')", '/two'),
    ],
  })
  expect(detector.setupErrors).toEqual([])
  expect(matchesOf(await detector.evaluate(makeBatch([{}]))).map((m) => m.title)).toEqual([
    'one shipped',
    'folder shipped',
    'two own',
  ])
})

test('a helper is loaded once per root: rules of the same root see the values that it saves', async () => {
  const code = 'import shared\ndef rule(event): return True\ndef title(event): return str(shared.count())'
  const counting = (from: number) => `COUNT = ${from}\ndef count():\n    global COUNT\n    COUNT += 1\n    return COUNT`
  const at = (id: string, file: string) => makeRule(id, code, { source: { language: 'python', file, code } })
  const detector = await detect({
    rules: [at('A', '/one/a.py'), at('B', '/one/b.py'), at('C', '/two/c.py')],
    helpers: [makeHelper('shared', counting(0), '/one'), makeHelper('shared', counting(10), '/two')],
  })
  expect(matchesOf(await detector.evaluate(makeBatch([{}]))).map((m) => m.title)).toEqual(['1', '2', '11'])
})

test('a shipped helper uses a root’s own version of another one', async () => {
  const rule = makeRule('Own', 'import panther_lookuptable_helpers as l\ndef rule(event): return l.deep_get() == "mine"')
  const detector = await detect({ rules: [rule], helpers: [makeHelper('panther_base_helpers', 'def deep_get(): return "mine"')] })
  expect(matchesOf(await detector.evaluate(makeBatch([{}])))).toHaveLength(1)
})

test('an integer beyond 2^53, lone surrogates and odd keys arrive as they are', async () => {
  const rule = makeRule(
    'Exact',
    `
    def rule(event):
        return event['n'] == 2 ** 70 and event['f'] == 1.0 and event['__proto__'] == 'x' and event['s'] == 'é\\U0001f600' and event[''] == 1
  `,
  )
  const detector = await detect({ rules: [rule] })
  const line = '{"n":1180591620717411303424,"f":1.0,"__proto__":"x","s":"é😀","":1}\n'
  const findings = await detector.evaluate({ logType: 'Test.Log', ndjson: new TextEncoder().encode(line), count: 1 })
  expect(findings.map((f) => f.kind)).toEqual(['match'])
})

test('an event that Python cannot read is an error of each rule on that event alone', async () => {
  const detector = await detect({ rules: [makeRule('A', 'def rule(event): return True')] })
  const judge = async (...lines: string[]) => {
    const ndjson = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))
    return (await detector.evaluate({ logType: 'Test.Log', ndjson, count: lines.length })).map((f) => [f.event, f.kind])
  }
  expect(await judge('{"a":1}', `{"n":${'9'.repeat(5000)}}`, '{"a":2}')).toEqual([
    [0, 'match'],
    [1, 'error'],
    [2, 'match'],
  ])
  expect(await judge(`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, '{"a":2}')).toEqual([
    [0, 'error'],
    [1, 'match'],
  ])
})

test('disabled rules are loaded for tests only, other languages never', async () => {
  const rules = [
    makeRule('Off', 'def rule(event): return True', { enabled: false, logTypes: ['Off.Log'] }),
    makeRule('Other', 'not python', { source: { language: 'sigma', file: '/root/x.yml', code: '' } }),
    makeRule('On', 'def rule(event): return True'),
  ]
  expect([...(await detect({ rules })).logTypes]).toEqual(['Test.Log'])
  const all = await detect({ rules }, { all: true })
  expect([...all.logTypes]).toEqual(['Off.Log', 'Test.Log'])
  expect((await all.test('Off', makeTest({}))).out).toEqual({ detection: 'true' })
})

test('a log type without rules has no findings and does not need a child', async () => {
  const detector = await detect({})
  expect(detector.logTypes.size).toBe(0)
  expect(await detector.evaluate(makeBatch([{}]))).toEqual([])
})

test('after close evaluations reject', async () => {
  const detector = await detect({ rules: [makeRule('A', 'def rule(event): return True')] })
  await detector.close()
  await expect(detector.evaluate(makeBatch([{}]))).rejects.toThrow(/closed/)
})
