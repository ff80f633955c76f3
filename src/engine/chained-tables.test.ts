import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadPath } from './path.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chained-tables-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function table(name: string, selectors: string): void {
  writeFileSync(
    join(folder, `${name}.yml`),
    `AnalysisType: lookup_table\nLookupName: ${name}\nInline: [{ key: a, owner: b }]\nIndicators: { key: username }\nLogTypeMap:\n  PrimaryKey: key\n  AssociatedLogTypes:\n    - { LogType: Zeek.Conn, Selectors: [${selectors}] }\n`,
  )
}

test('tables that read from each other in a circle are refused with its path; others remain', async () => {
  table('first', 'p_enrichment.second.uid.owner')
  table('second', 'uid, p_enrichment.first.uid.owner')
  table('third', 'uid')
  const { tables, problems } = await loadPath({ content: [folder] })
  expect(problems).toEqual([
    {
      file: expect.stringMatching(/(first|second)\.yml$/),
      message: expect.stringMatching(/in a circle, (first → second → first|second → first → second): remove one/),
    },
  ])
  expect(['first', 'second', 'third'].map((name) => tables.has(name))).toEqual([false, false, true])
})

test('an extension can close a circle', async () => {
  table('first', 'uid')
  table('second', 'p_enrichment.first.uid.owner')
  writeFileSync(
    join(folder, 'extension.yml'),
    'AnalysisType: lookup_table\nExtends: first\nLogTypeMap:\n  AssociatedLogTypes:\n    - { LogType: Zeek.Conn, Selectors: [p_enrichment.second.uid.owner] }\n',
  )
  const { problems } = await loadPath({ content: [folder] })
  expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('in a circle')])
})

test.each([
  ['p_enrichment.frist.uid.owner', /there is no table 'frist'.*first/],
  ['p_enrichment.first.id_orig_h.owner', /no such selector.*p_enrichment\.<table>\.<selector>\.<field>/],
  ['p_enrichment.first.uid', /names no field of the rows/],
])('%s is reported', async (selector, message) => {
  table('first', 'uid')
  table('second', selector)
  const { names } = await loadPath({ content: [folder] })
  expect(names.filter(({ file }) => file.endsWith('second.yml')).map((one) => one.message)).toEqual([
    expect.stringMatching(message),
  ])
})

test('selectors of the table, of its indicator and of the rows are known', async () => {
  table('first', 'uid')
  table('second', 'p_enrichment.first.uid.owner, p_enrichment.first.p_any_usernames.owner, p_enrichment.first.uid.p_match')
  const { names, problems } = await loadPath({ content: [folder] })
  expect([...names, ...problems].filter(({ file }) => file.startsWith(folder))).toEqual([])
})
