import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoredAlert } from '../../model/alert.ts'
import type { Evidence } from '../../model/evidence.ts'
import { alertIdOf } from '../../stages/alert/step.ts'
import { packTar } from '../../util/archive/pack-tar.ts'
import { hash16 } from '../../util/hash.ts'
import { isPartName, openBundle, packBundle } from './bundle.ts'
import { makeBundle } from './make.ts'
import { reproduce } from './reproduce.ts'

/** Each reproduction starts a sandbox. */
const LIMIT_MS = 120_000

const RULE = 'AnalysisType: rule\nRuleID: R\nFilename: r.py\nEnabled: true\nLogTypes: [T]\nSeverity: Low\n'
const EVENT = { p_log_type: 'T', p_row_id: 'row', p_source_id: 's', user: 'ann' }

interface Case {
  readonly files?: Readonly<Record<string, string>>
  readonly event?: object
  readonly evidence?: Partial<Evidence>
  readonly alert?: Partial<StoredAlert>
  readonly matches?: number
  readonly threshold?: number
}

const CODE = 'def rule(event):\n    return event["user"] == "ann"\n\ndef title(event):\n    return "t"\n'

/** The bundle of an alert of rule `R`, whose matches have the title `t`. */
function bundleOf({
  files,
  event = EVENT,
  evidence = {},
  alert = {},
  matches = 1,
  threshold = 1,
}: Case = {}): Promise<Uint8Array> {
  const groupKey = hash16('match', 'R', 't')
  const one: Evidence = {
    rowId: 'row',
    logType: String((event as { p_log_type?: string }).p_log_type),
    generation: 'g',
    ruleVersion: null,
    event: JSON.stringify(event),
    looked: '[]',
    raw: 'raw',
    isRawCut: false,
    title: 't',
    dedup: 't',
    severity: 'LOW',
    description: '',
    reference: '',
    runbook: '',
    destinations: null,
    context: null,
    functionErrors: {},
    ...evidence,
  }
  const stored = {
    alertId: alertIdOf('R', groupKey, 7),
    ruleId: 'R',
    number: 7,
    severity: 'LOW',
    eventCount: matches,
    createdMs: 0,
    startMs: 0,
    endMs: 0,
    body: { type: 'RULE', dedup: 't', threshold, title: 't', functionErrors: {} },
    ...alert,
  } as unknown as StoredAlert
  const content = files ?? { 'r.yml': `${RULE}Threshold: ${threshold}\n`, 'r.py': CODE }
  return makeBundle({
    alert: stored,
    evidence: Array.from({ length: Math.min(20, matches) }, () => one),
    files: new Map(Object.entries(content).map(([path, text]) => [`1/${path}`, Buffer.from(text)])),
    roots: ['rules'],
  })
}

const decide = async (given: Case) => reproduce(await bundleOf(given), 'x.tar')

describe('decided again', () => {
  test('a rule without a recorded version', { timeout: LIMIT_MS }, async () => {
    expect(await decide({})).toMatchObject({ matches: 1, changed: [], differences: [], notes: [] })
  })

  test('a scheduled rule, from the row of its query, which comes along', { timeout: LIMIT_MS }, async () => {
    const files = {
      'r.yml': RULE.replace('rule\n', 'scheduled_rule\n').replace('LogTypes: [T]', 'ScheduledQueries: [many]'),
      'r.py': CODE,
      'q.yml':
        'AnalysisType: scheduled_query\nQueryName: many\nEnabled: true\nQuery: SELECT 1\nSchedule: { RateMinutes: 5, TimeoutMinutes: 1 }\n',
      'other.yml': 'AnalysisType: saved_query\nQueryName: other\nQuery: SELECT 2\n',
    }
    const bytes = await bundleOf({ files, event: { ...EVENT, p_log_type: 'query/many' } })
    expect(await reproduce(bytes, 'x.tar')).toMatchObject({ differences: [] })
    const { parts } = await openBundle(bytes, 'x.tar')
    expect([...parts.keys()].filter((name) => name.startsWith('content/'))).toEqual([
      'content/1/q.yml',
      'content/1/r.py',
      'content/1/r.yml',
    ])
  })

  test('a policy that concerns every type of resource', { timeout: LIMIT_MS }, async () => {
    const files = {
      'r.yml':
        'AnalysisType: policy\nPolicyID: R\nFilename: r.py\nEnabled: true\nResourceTypes: []\nSeverity: Low\nSuppressions: [x*]\n',
      'r.py': 'def policy(resource):\n    return resource["user"] != "ann"\n\ndef title(resource):\n    return "t"\n',
    }
    expect(await decide({ files, evidence: { ruleVersion: 'another' } })).toMatchObject({ differences: [] })
    const suppressed = { ...EVENT, ResourceId: 'xy' }
    expect(await decide({ files, event: suppressed })).toMatchObject({
      differences: ['match 1 (row): the rule does not match'],
    })
  })

  test('rows of a table whose keys have several rows, and keys that it does not have', { timeout: LIMIT_MS }, async () => {
    const code = `def rule(event):
    return [row["n"] for row in event.lookup("many", "k")] == [1, 2] and event.lookup("one", "k")["n"] == 3

def title(event):
    return "t" if event.lookup("ONE", "gone") is None else "no"
`
    const row = (table: string, key: string, fields: object, isOfList = false) => {
      return { table, row: { ...fields, p_match: key, p_version: 'v' }, isOfList }
    }
    const rows = [row('many', 'k', { n: 1 }, true), row('many', 'k', { n: 2 }, true), row('one', 'k', { n: 3 })]
    const looked = JSON.stringify([...rows, row('one', 'gone', { p_missing: true })])
    const files = { 'r.yml': RULE, 'r.py': code }
    expect(await decide({ files, evidence: { looked } })).toMatchObject({ differences: [] })
    const { differences } = await decide({ files, evidence: { looked: '[]' } })
    expect(differences[0]).toContain(`the rule fails: r.py:2 in rule`)
    expect(differences[0]).toContain(`the bundle has no row of table 'many' for "k"`)
    await expect(decide({ files, evidence: { looked: '[{"table":1}]' } })).rejects.toThrow(
      "x.tar: its part 'matches/01/looked.json' is not a list of rows of tables",
    )
  })

  test('an alert of many dedup strings, and one of a replay', { timeout: LIMIT_MS }, async () => {
    const crowd = {
      alertId: alertIdOf('R', hash16('crowd', 'R'), 7),
      body: { type: 'RULE', dedup: 'Caracal: further dedup strings', threshold: 1, functionErrors: {} },
    }
    expect(await decide({ alert: crowd as unknown as StoredAlert })).toMatchObject({ differences: [] })
    const past = { alertId: alertIdOf('R', hash16('retroactive match', 'R', 'v', 't'), 7), retroactive: true as const }
    const files = { 'r.yml': RULE, 'r.py': CODE }
    const { differences } = await decide({ files, alert: past, evidence: { ruleVersion: 'v' } })
    expect(differences).toEqual([expect.stringMatching(/^the version of the rule: v then, [0-9a-f]{16} in the bundle$/)])
  })

  test.each([
    [2, 2, []],
    [1, 2, ['the matches do not reach the threshold of 2, so they would raise no alert']],
    // More matches than a bundle has cannot be counted.
    [30, 25, []],
  ])('%i matches with a threshold of %i', { timeout: LIMIT_MS }, async (matches, threshold, wanted) => {
    const { differences, notes } = await decide({ matches, threshold })
    expect(differences).toEqual(wanted)
    expect(notes).toEqual(matches > 20 ? ['The alert has 30 matches, of which the first 20 are kept.'] : [])
  })

  test('an event that was too long to be kept', { timeout: LIMIT_MS }, async () => {
    const { differences, notes } = await decide({ evidence: { event: null } })
    expect(differences).toEqual(['match 1 (row): its event was too long to be kept, so it cannot be decided again'])
    expect(notes).toEqual(['The event of match 1 is longer than 262144 characters and was not kept.'])
  })
})

test('an alert whose rule is not in the content that decided is refused', async () => {
  await expect(bundleOf({ files: { 'x.yml': RULE.replace(': R\n', ': X\n') } })).rejects.toThrow(
    "the files of the content that decided, g, have no usable rule 'R'",
  )
})

describe('hostile', () => {
  const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith('caracal-bundle-'))

  async function changed(change: (parts: Map<string, Uint8Array>) => void): Promise<Uint8Array> {
    const { parts } = await openBundle(await bundleOf(), 'x.tar')
    const own = new Map(parts)
    change(own)
    return packBundle(own)
  }

  test.each([
    '../x.py',
    '/etc/x.py',
    'content/1/../../x',
    'content/1//x',
    'a\\b',
    'a\0b',
    'content/./x',
    'x/',
    '',
    `${'x'.repeat(300)}`,
  ])('a part may not be named %j', async (name) => {
    expect(isPartName(name)).toBe(false)
    if (name === '' || name.includes('\0')) return
    const bytes = packTar([{ name, content: Buffer.from('x') }])
    await expect(openBundle(bytes, 'x.tar')).rejects.toThrow(
      'x.tar: is not an intact bundle: it has a part with an unusable name',
    )
  })

  test('no two parts have one name', async () => {
    const part = { name: 'a', content: Buffer.from('x') }
    await expect(openBundle(packTar([part, part]), 'x.tar')).rejects.toThrow("it has two parts 'a'")
  })

  test('there is a limit to the number of parts', async () => {
    const many = Array.from({ length: 2001 }, (_, at) => ({ name: `p${at}`, content: new Uint8Array() }))
    await expect(openBundle(packTar(many), 'x.tar')).rejects.toThrow('it has more than')
  })

  test('links and devices in the archive are not parts', async () => {
    const bytes = Buffer.from(
      packTar([
        { name: 'SHA256SUMS', content: new Uint8Array() },
        { name: 'link', content: new Uint8Array() },
      ]),
    )
    // The second header, as a symbolic link to a file of the host.
    bytes.write('2/etc/passwd', 512 + 156)
    bytes.fill(' ', 512 + 148, 512 + 156)
    const sum = bytes.subarray(512, 1024).reduce((total, byte) => total + byte, 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 512 + 148)
    expect([...(await openBundle(bytes, 'x.tar')).parts.keys()]).toEqual([])
  })

  test.each([
    ['version', { version: 2 }, 'version: Invalid input: expected 1; this Caracal reads version 1'],
    ['number of matches', { matches: 1e9 }, 'matches: '],
    ['unknown key', { extra: 1 }, 'Unrecognized key'],
    ['missing match', { matches: 2 }, "is not a complete bundle: it has no part 'matches/02/result.json'"],
  ])('a wrong manifest is refused: %s', async (_, part, message) => {
    const bytes = await changed((parts) => {
      const manifest = JSON.parse(Buffer.from(parts.get('manifest.json')!).toString()) as object
      parts.set('manifest.json', Buffer.from(JSON.stringify({ ...manifest, ...part })))
    })
    await expect(reproduce(bytes, 'x.tar')).rejects.toThrow(message)
  })

  test('nesting, and files that are folders too, are refused', { timeout: LIMIT_MS }, async () => {
    const deep = await changed((parts) => parts.set('manifest.json', Buffer.from('['.repeat(1e6))))
    await expect(reproduce(deep, 'x.tar')).rejects.toThrow("x.tar: its part 'manifest.json' is not JSON")
    const event = await changed((parts) => parts.set('matches/01/event.json', Buffer.from('['.repeat(1e6))))
    expect((await reproduce(event, 'x.tar')).differences).toEqual([
      'match 1 (row): its event cannot be read: objects and arrays are nested more than 2048 deep',
    ])
    const both = await changed((parts) => parts.set('content/1/r.py/x.py', Buffer.from('')))
    await expect(reproduce(both, 'x.tar')).rejects.toThrow('cannot be written to the temporary folder')
  })

  test('code of a bundle has no more access than any rule, and a table of it reads no file', { timeout: LIMIT_MS }, async () => {
    const table =
      'AnalysisType: lookup_table\nLookupName: t\nRefresh: { Url: http://127.0.0.1:1/, Token: { file: /etc/hostname } }\n'
    const code = `def rule(event):
    return True

def title(event):
    found = []
    for attempt in (lambda: open("/etc/hostname"), lambda: __import__("socket").create_connection(("127.0.0.1", 1)), lambda: __import__("subprocess").run(["id"])):
        try:
            attempt()
            found.append("out")
        except BaseException:
            pass
    return "t" if not found else "out"
`
    const { differences } = await decide({ files: { 'r.yml': RULE, 'r.py': code, 'table.yml': table } })
    expect(differences.filter((one) => one.includes('out'))).toEqual([])
  })

  test('whatever byte of a bundle changes, it is refused or the change is reported', { timeout: LIMIT_MS }, async () => {
    const bytes = await bundleOf()
    const { parts: original } = await openBundle(bytes, 'x.tar')
    const end = bytes.length - 1024
    await fc.assert(
      fc.asyncProperty(fc.nat(end - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const other = Uint8Array.from(bytes)
        other[at] = other[at]! ^ by
        const outcome = await openBundle(other, 'x.tar').catch((error: unknown) => error)
        if (outcome instanceof Error) {
          expect(outcome.message).toMatch(/^x\.tar: /)
          return
        }
        const { changed: said, parts } = outcome as Awaited<ReturnType<typeof openBundle>>
        // Padding, and what tar ignores in a header, belong to no part.
        if (said.length === 0) expect(textsOf(parts)).toEqual(textsOf(original))
      }),
      { numRuns: 500 },
    )
  })

  const textsOf = (parts: ReadonlyMap<string, Uint8Array>) =>
    [...parts].map(([name, part]) => [name, Buffer.from(part).toString('latin1')])

  test('nothing stays in the temporary folder', { timeout: LIMIT_MS }, async () => {
    const before = temporary()
    await decide({ files: { 'r.yml': RULE, 'r.py': 'def rule(event)\n' } })
    expect(temporary().filter((name) => !before.includes(name))).toEqual([])
  })
})
