import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Generation } from '../pipeline/generation.ts'
import { MemoryStore } from '../stages/detect/correlation/store.ts'
import { type ContentSource, createGeneration } from './generation.ts'
import { LiveTables } from './live-tables.ts'
import { loadPath } from './path.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-generation-'))
  write('thing.yml', 'schema: Custom.Thing\nfields:\n  - name: a\n    type: string\n')
  write('rule.yml', rule('Low'))
  write('query.yml', 'AnalysisType: saved_query\nQueryName: Things\nQuery: SELECT 1\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string) => writeFileSync(join(folder, name), text)

const rule = (severity: string, more = '') => `AnalysisType: rule
RuleID: Thing
Enabled: true
LogTypes: [Custom.Thing]
Severity: ${severity}
Detection:
  - Key: a
    Condition: Equals
    Value: x
${more}`

const SOURCES: readonly ContentSource[] = [{ id: 's', log_types: ['Custom.Thing'] }]

/** The generation of only the folder's content. */
async function generation(sources = SOURCES, root = folder): Promise<Generation> {
  const all = await loadPath({ content: [root] })
  expect(all.problems).toEqual([])
  const mine = <T extends { readonly file: string }>(items: readonly T[]) => items.filter(({ file }) => file.startsWith(root))
  const { content } = all
  const loaded = { ...all, content: { ...content, rules: mine(content.rules), correlationRules: [], policies: [] } }
  const parser = { maxRecordBytes: 10_000, maxDepth: 20 }
  const deps = { sources, tables: new LiveTables(loaded), parser, memory: new MemoryStore(), detection: { timeoutMs: 1000 } }
  const made = await createGeneration(loaded, deps)
  await Promise.all(made.detectors.map((detector) => detector.close()))
  return made
}

test('the hash depends neither on the location of the content nor on the tests of its rules', async () => {
  const { hash, rules } = await generation()
  expect(hash).toMatch(/^[0-9a-f]{16}$/)
  const copy = mkdtempSync(join(tmpdir(), 'caracal-generation-'))
  try {
    cpSync(folder, copy, { recursive: true })
    const tests = 'Tests:\n  - Name: t\n    ExpectedResult: true\n    Log: { a: x }\n'
    writeFileSync(join(copy, 'rule.yml'), rule('Low', tests))
    const again = await generation(SOURCES, copy)
    expect([again.hash, again.rules.get('Thing')!.version]).toEqual([hash, rules.get('Thing')!.version])
  } finally {
    rmSync(copy, { recursive: true })
  }
})

test.each<[what: string, edit: () => void, isOtherRule: boolean]>([
  ['a field of a schema', () => write('thing.yml', 'schema: Custom.Thing\nfields:\n  - name: a\n    type: int\n'), false],
  ["a rule's metadata", () => write('rule.yml', rule('High')), true],
  ["a rule's code", () => write('rule.yml', rule('Low').replace('Value: x', 'Value: y')), true],
  ['a query', () => write('query.yml', 'AnalysisType: saved_query\nQueryName: Things\nQuery: SELECT 2\n'), false],
])('another hash after a change of %s', async (_, edit, isOtherRule) => {
  const before = await generation()
  edit()
  const after = await generation()
  expect(after.hash).not.toBe(before.hash)
  expect(after.rules.get('Thing')!.version !== before.rules.get('Thing')!.version).toBe(isOtherRule)
})

test("the hash changes with a source's log types", async () => {
  const before = await generation()
  expect((await generation([{ id: 's', log_types: [] }])).hash).not.toBe(before.hash)
})

test('a source whose log type has no schema is refused, with the known log types', async () => {
  await expect(generation([{ id: 's', log_types: ['Custom.Think'] }])).rejects.toThrow(/source 's'.*Custom\.Think.*Custom\.Thing/)
})
