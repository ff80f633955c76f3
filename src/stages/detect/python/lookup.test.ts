import { afterEach, expect, test, vi } from 'vitest'
import type { JsonValue } from '../../../model/json.ts'
import type { TableRows } from '../../../model/lookup.ts'
import type { DetectorOptions } from '../language.ts'
import { python } from './index.ts'
import { errorsOf, makeBatch, makeRule, matchesOf } from './rule.fixture.ts'

// Most tests start their own child, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 300_000 })

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

async function detect(codes: Readonly<Record<string, string>>, options: Partial<DetectorOptions> = {}) {
  const rules = Object.entries(codes).map(([id, code]) => makeRule(id, code))
  const detector = await python.create(
    { rules, helpers: [] },
    { timeoutMs: 5000, all: false, ...options, apart: undefined as never },
  )
  open.push(detector)
  return detector
}

/** A table of users, which notes what it was asked. */
function users(
  version = 'v1',
  rows: Readonly<Record<string, object>> = { ann: { role: 'admin', groups: ['a'], big: 12345678901234567890n } },
) {
  const asked: JsonValue[] = []
  const tables: TableRows = {
    stamp: version,
    find(table, key) {
      asked.push(key)
      if (table !== 'users') return { problem: `no table '${table}' is in force. In force: users` }
      const row = Object.hasOwn(rows, String(key)) ? { ...rows[String(key)], p_match: key, p_version: version } : null
      return { table, version, row }
    },
  }
  return { tables, asked }
}

const ADMIN = `
  def rule(event):
      row = event.lookup('users', event.get('user'))
      return row is not None and row.get('ROLE') == 'admin'
  def alert_context(event): return {'row': event.lookup('users', event.get('user'))}
`

test('a rule gets the row of any key, or None, and a match records what it was given', async () => {
  const detector = await detect({ Admin: ADMIN, Absent: "def rule(event): return event.lookup('users', event['user']) is None" })
  const { tables } = users()
  const findings = await detector.evaluate({ ...makeBatch([{ user: 'ann' }, { user: 'bob' }, { user: null }]), tables })
  expect(errorsOf(findings)).toEqual([])
  const row = { role: 'admin', groups: ['a'], big: 12345678901234567890n, p_match: 'ann', p_version: 'v1' }
  const none = (key: JsonValue) => [{ table: 'users', row: { p_match: key, p_version: 'v1', p_missing: true } }]
  expect(matchesOf(findings).map(({ ruleId, event, looked }) => [ruleId, event, looked])).toEqual([
    ['Admin', 0, [{ table: 'users', row }]],
    ['Absent', 1, none('bob')],
    ['Absent', 2, none(null)],
  ])
  expect(matchesOf(findings)[0]!.alertContext).toContain('"big": 12345678901234567890')
})

test('keys of any scalar kind arrive as they are, and parameters go by their usual names', async () => {
  const { tables, asked } = users()
  const detector = await detect({
    Keys: `
      def rule(event):
          for key in (7, 7.5, True, 'é\\ud800', 2 ** 70):
              event.lookup(lookup_name='users', lookup_key=key)
          return False
    `,
  })
  expect(await detector.evaluate({ ...makeBatch([{}]), tables })).toEqual([])
  expect(asked).toEqual([7, 7.5, true, 'é\ufffd', 2n ** 70n])
})

test('an unknown table, a key of another kind and tables that are not there are rule errors', async () => {
  const detector = await detect({
    Unknown: "def rule(event): return event.lookup('nope', 'k') is None",
    NaN: "def rule(event): return event.lookup('users', float('nan')) is None",
    Long: "def rule(event): return event.lookup('users', 'x' * 100_000) is None",
    Object: "def rule(event): return event.lookup('users', object()) is None",
    Name: "def rule(event): return event.lookup(1, 'x') is None",
  })
  const messages = (findings: Parameters<typeof errorsOf>[0]) =>
    errorsOf(findings).map(({ ruleId, message }) => `${ruleId} ${message}`)
  const found = messages(await detector.evaluate({ ...makeBatch([{}]), tables: users().tables }))
  expect(found).toEqual([
    expect.stringMatching(/^Unknown .*LookupError.*no table 'nope' is in force. In force: users/),
    expect.stringMatching(/^NaN .*ValueError/),
    expect.stringMatching(/^Long .*ValueError.*longer than 65536/),
    expect.stringMatching(/^Object .*TypeError/),
    expect.stringMatching(/^Name .*TypeError.*the name of a table is a string/),
  ])
  expect(messages(await detector.evaluate(makeBatch([{}])))[0]).toMatch(/LookupError.*there are no tables here/)
})

test('the same key is asked for once, until other tables are in force', async () => {
  const detector = await detect({ Admin: ADMIN })
  const old = users()
  const now = users('v2', {})
  const batch = makeBatch(Array.from({ length: 50 }, () => ({ user: 'ann' })))
  const matched = async (tables: TableRows) => matchesOf(await detector.evaluate({ ...batch, tables })).length
  expect([await matched(old.tables), await matched(old.tables), await matched(now.tables)]).toEqual([50, 50, 0])
  expect(old.asked.filter((key) => key === 'ann')).toHaveLength(1 + 2 * 50)
  expect(now.asked).toEqual(['ann'])
})

test('every call sees the row as it is, whatever another rule did with its own', async () => {
  const detector = await detect({
    Changes: "def rule(event):\n    event.lookup('users', 'ann').copy()['role'] = 'none'\n    return False",
    Reads:
      "def rule(event): return event.lookup('users', 'ann')['groups'][0] == 'a' and event.lookup('users', 'ann')['role'] == 'admin'",
  })
  expect(matchesOf(await detector.evaluate({ ...makeBatch([{}]), tables: users().tables }))).toHaveLength(1)
})

test('a rule that asks without end is stopped, and the others are judged', async () => {
  const detector = await detect(
    {
      Many: "def rule(event): return [event.lookup('users', i) for i in range(2000)] and False",
      Endless: `
        def rule(event):
            while True:
                try:
                    event.lookup('users', 'ann')
                except LookupError:
                    pass
      `,
      Admin: ADMIN,
    },
    { timeoutMs: 1000 },
  )
  const findings = await detector.evaluate({ ...makeBatch([{ user: 'ann' }]), tables: users().tables })
  expect(matchesOf(findings).map(({ ruleId }) => ruleId)).toEqual(['Admin'])
  expect(errorsOf(findings).map(({ ruleId, cause }) => `${ruleId} ${cause}`)).toEqual(['Many exception', 'Endless timeout'])
  expect(errorsOf(findings)[0]!.message).toContain('at most 1000 rows')
})

test('what a rule writes to the streams disturbs no other rule', async () => {
  const detector = await detect({
    Forges: `
      import os
      def rule(event):
          os.write(1, b'?nonsense')
          return os.read(0, 1000) == b'{"problem":"the question cannot be read"}'
    `,
    Reads: `
      import os
      def rule(event):
          os.write(1, b'hello')
          return os.read(0, 10) == b'' and event.lookup('users', 'ann')['role'] == 'admin'
    `,
  })
  const findings = await detector.evaluate({ ...makeBatch([{}]), tables: users().tables })
  expect(matchesOf(findings).map(({ ruleId }) => ruleId)).toEqual(['Forges', 'Reads'])
})

test('a rule reads tables behind the conditions that the prefilter knows, and sees every event when it has none', async () => {
  const prefilter = { ruleErrors: 'matching', shadowEvery: 0 } as const
  const detector = await detect(
    {
      Behind: "def rule(event): return event.get('kind') == 'login' and event.lookup('users', event.get('user')) is not None",
      First: `
        def rule(event):
            row = event.lookup('users', event.get('user'))
            if not row:
                return False
            return row.get('role') == 'admin'
      `,
    },
    { prefilter },
  )
  await detector.prefiltered
  const { tables, asked } = users()
  const events = [
    { kind: 'login', user: 'ann' },
    { kind: 'login', user: 'bob' },
    { kind: 'logout', user: 'ann' },
    { user: 'eve' },
  ]
  const findings = await detector.evaluate({ ...makeBatch(events), events, tables })
  expect(matchesOf(findings).map(({ ruleId, event }) => `${ruleId} ${event}`)).toEqual(['Behind 0', 'First 0', 'First 2'])
  expect(asked).toContain('eve')
})
