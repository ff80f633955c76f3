import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { versionOf } from '../content.ts'
import { defineTable } from '../definition.ts'
import { contentFile, tableFolder } from './files.ts'
import { TableVersions } from './table-versions.ts'
import { VersionStore } from './version-store.ts'

const MINUTE = 60_000
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'table-versions-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('of content that is composed here, at most one version an hour is kept, and those that an alert names', async () => {
  const provider = { type: 'live', service: 'greynoise_community' }
  const document = { AnalysisType: 'lookup_table', LookupName: 'x', Provider: provider, LogTypeMap: { PrimaryKey: 'ip' } }
  const named = new Set<string>()
  let nowMs = 0
  const versions = await TableVersions.open({
    definition: defineTable(document, { file: join(folder, 'x.yml') }),
    tablesFolder: folder,
    clock: { now: () => nowMs, after: () => () => {} },
    compare: async () => ({ added: 1, removed: 0, changed: 0, worsened: 0 }),
    namedVersions: async () => named,
    onError: (error) => {
      throw error
    },
    signal: new AbortController().signal,
  })
  const keep = async (content: string) => {
    const bytes = Buffer.from(content)
    const built = { version: versionOf(bytes), rows: 1, skipped: 0 }
    return { version: built.version, period: await versions.keep(await versions.candidate(bytes), built, { origin: 'fetched' }) }
  }
  const first = await keep('a')
  expect(first.period).toMatchObject({ version: first.version, sinceMs: 0 })
  nowMs = MINUTE
  const second = await keep('b')
  expect(second.period).toBeUndefined()
  named.add(second.version)
  nowMs = 2 * MINUTE
  const third = await keep('c')
  nowMs = 3 * MINUTE
  const fourth = await keep('d')
  nowMs = 90 * MINUTE
  const fifth = await keep('e')
  expect(versions.periods.map(({ version, sinceMs }) => [version, sinceMs])).toEqual([
    [second.version, 0],
    [fourth.version, 2 * MINUTE],
    [fifth.version, 90 * MINUTE],
  ])
  const stored = async () => (await readdir(tableFolder(folder, 'x'))).filter((name) => name.endsWith('.gz')).sort()
  // What was replaced last stays, so that it can be compared with what replaced it.
  expect(await stored()).toEqual([second, third, fourth, fifth].map(({ version }) => contentFile(version)).sort())
  await VersionStore.open(tableFolder(folder, 'x'))
  expect(await stored()).toEqual([second, fourth, fifth].map(({ version }) => contentFile(version)).sort())
  expect(third.period).toBeDefined()
  expect(await versions.compare(fifth.period!)).toMatchObject({ added: 1 })
})
