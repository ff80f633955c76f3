import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { DataModel } from '../../../../model/data-model.ts'
import type { DetectionContent, Rule } from '../../../../model/rule.ts'
import { toNdjson } from '../../ndjson.ts'
import { python } from '../index.ts'
import { makeHelper, makeRule, matchesOf } from '../rule.fixture.ts'
import { createRuleSet } from '../rules.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/snapshot.ts'
import { keptConditions } from './conditions.ts'
import { KnownConditions } from './known-conditions.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let reader: Sandbox
beforeAll(async () => {
  reader = await startSandbox()
})
afterAll(() => reader.close())

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-conditions-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const MODEL: DataModel = {
  id: 'Model',
  displayName: undefined,
  enabled: true,
  logTypes: ['Modelled.Log'],
  file: '/root/models/model.yml',
  root: '/root',
  source: undefined,
  mappings: [{ name: 'who', path: 'user' }],
}
const IN_B = { file: '/root/b/B.yml', source: { language: 'python', file: '/root/b/B.py', code: '' } }
const inB = (code: string): Rule => makeRule('B', '', { ...IN_B, source: { ...IN_B.source, code } })

const CONTENT = {
  rules: [
    makeRule('A', "import names\ndef rule(event):\n    return event.get('a') in names.WANTED\n"),
    inB("import beside\ndef rule(event):\n    return event.get('b') == beside.WANTED\n"),
    makeRule('C', "def rule(event):\n    return event.udm('who') == 'root'\n", { logTypes: ['Test.Log', 'Modelled.Log'] }),
  ],
  helpers: [makeHelper('names', "WANTED = ('x', 'y')\n"), makeHelper('beside', "WANTED = 'z'\n", '/root', '/root/b')],
  dataModels: [MODEL],
} satisfies DetectionContent

/** What is read if a folder contains the results of an earlier run: ids of rules, and all conditions. */
async function read(content: DetectionContent, from: string | undefined) {
  const kept = await keptConditions(from, ['/root'])
  const known = new KnownConditions(createRuleSet(content, false).load([], new Map(), { careful: false, watch: 'never' }), kept)
  const ids = new Set<string>()
  for (let missing = known.missing(); missing; missing = known.missing()) {
    for (const { id } of missing.rules) ids.add(id)
    const request = { kind: 'necessary', timeoutMs: 0, careful: false } as const
    const payload = new TextEncoder().encode(JSON.stringify(missing))
    known.add(new TextDecoder().decode(await reader.request([[request, payload]], 60_000)))
  }
  await kept.save()
  return { ids: [...ids].sort(), text: known.text() }
}

const [A, B, C] = CONTENT.rules as [Rule, Rule, Rule]
const [NAMES, BESIDE] = CONTENT.helpers
const edited = (rule: Rule, more: string): Rule => ({ ...rule, source: { ...rule.source, code: rule.source.code + more } })
const STORES = "\ndef touch(thing):\n    thing.WANTED = 'q'\n"

const changes: readonly { that: string; content: DetectionContent; reads: readonly string[] }[] = [
  { that: 'nothing', content: CONTENT, reads: [] },
  { that: 'the order of rules', content: { ...CONTENT, rules: [C, A, B] }, reads: [] },
  { that: 'a rule', content: { ...CONTENT, rules: [edited(A, '\nN = 1\n'), B, C] }, reads: ['A'] },
  { that: 'a new rule', content: { ...CONTENT, rules: [A, B, C, makeRule('D', 'def rule(event): return True')] }, reads: ['D'] },
  { that: 'a rule that is gone', content: { ...CONTENT, rules: [A, C] }, reads: [] },
  { that: 'a rule of another log type', content: { ...CONTENT, rules: [{ ...A, logTypes: ['Other.Log'] }, B, C] }, reads: ['A'] },
  {
    that: 'a helper of the root',
    content: { ...CONTENT, helpers: [{ ...NAMES!, code: "WANTED = ('v',)\n" }, BESIDE!] },
    reads: ['A', 'B', 'C'],
  },
  {
    that: 'a helper beside a rule',
    content: { ...CONTENT, helpers: [NAMES!, { ...BESIDE!, code: "WANTED = 'w'\n" }] },
    reads: ['B'],
  },
  {
    that: 'a data model',
    content: { ...CONTENT, dataModels: [{ ...MODEL, mappings: [{ name: 'who', path: 'login' }] }] },
    reads: ['C'],
  },
  {
    that: 'a rule that may change what other modules hold',
    content: { ...CONTENT, rules: [edited(A, STORES), B, C] },
    reads: ['A', 'B', 'C'],
  },
]

test.each(changes)(
  'after a change of $that, $reads are read, and the conditions are those of a whole reading',
  async (change) => {
    expect((await read(CONTENT, folder)).ids).toEqual(['A', 'B', 'C'])
    const { ids, text } = await read(change.content, folder)
    expect(ids).toEqual(change.reads)
    expect(text).toBe((await read(change.content, undefined)).text)
  },
)

test('a damaged file is ignored and rewritten', async () => {
  await read(CONTENT, folder)
  const file = join(folder, readdirSync(folder)[0]!)
  const whole = readFileSync(file, 'utf8')
  writeFileSync(file, whole.replace('"x"', '"q"'))
  expect((await read(CONTENT, folder)).ids).toEqual(['A', 'B', 'C'])
  expect(readFileSync(file, 'utf8')).toBe(whole)
})

test('at the second start the prefilter works from the first event on', async () => {
  const options = {
    timeoutMs: 5000,
    all: false,
    compiledFolder: folder,
    prefilter: { ruleErrors: 'matching', shadowEvery: 0 },
  } as const
  const events = [{ a: 'x' }, { a: 'v' }, { a: 'w' }]
  const batch = { logType: 'Test.Log', events, count: events.length, ndjson: toNdjson(events) }
  const content = { ...CONTENT, rules: [A] }
  const first = await python.create(content, options)
  await first.prefiltered
  await first.close()
  const second = await python.create(content, options)
  try {
    expect(matchesOf(await second.evaluate(batch)).map(({ event }) => event)).toEqual([0])
    expect(second.timings()).toMatchObject([{ ruleId: 'A', events: 1 }])
  } finally {
    await second.close()
  }
})
