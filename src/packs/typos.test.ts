import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checkEnrichments } from './checks/enrichments.ts'
import { compileFiles } from './compile.ts'
import type { Content } from './content.ts'
import { loadContent } from './load.ts'
import { packsOff, withoutPacks } from './packs.ts'

const root = mkdtempSync(join(tmpdir(), 'typos-'))
afterAll(() => rmSync(root, { recursive: true }))

const TABLE = 'AnalysisType: lookup_table\nLookupName: t\nFilename: t.csv\nLogTypeMap: { PrimaryKey: k }\n'
const EXTENDED = 'LogTypeMap: { AssociatedLogTypes: [{ LogType: Custom.Sx, Selectors: [b] }] }\n'

async function load(files: Readonly<Record<string, string>>): Promise<Content> {
  const folder = mkdtempSync(join(root, 'content-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return loadContent([folder])
}

describe('a typo is reported with what was meant', () => {
  test.each([
    [`${TABLE}Checks: { MinRow: 5 }`, "5 unknown key 'Checks.MinRow': did you mean 'MinRows'?"],
    [TABLE.replace('PrimaryKey', 'PrimryKey'), "4 unknown key 'LogTypeMap.PrimryKey': did you mean 'PrimaryKey'?"],
    [`${TABLE}Provider: { type: url, urll: x }`, "5 unknown key 'Provider.urll': did you mean 'url'?"],
    // Another provider has the key `url`.
    [`${TABLE}Provider: { type: file, path: x, urll: y }`, "5 unknown key 'Provider.urll': remove it"],
    [`${TABLE}Provider: { type: ulr }`, 'must be one of file, url'],
    [`${TABLE}Provider: { type: ulr }`, '(is "ulr"): did you mean \'url\'?'],
    [
      `${TABLE}Provider: { type: url, url: lists }`,
      '5 Provider.url: must be a URL, as in https://example.com/list.csv (is "lists")',
    ],
    [`${TABLE}RowsPerKey: newst`, '5 RowsPerKey: must be one of last, first, newest, all (is "newst"): did you mean \'newest\'?'],
    [`${TABLE}ContentDate: yesterday`, '5 ContentDate: must be a date, as in 2024-04-19 (is "yesterday")'],
    [`${TABLE}Retro: true`, '5 Retro: must be a block of keys (is true)'],
    [`${TABLE}Retro: { Days: 3000 }`, '5 Retro.Days: must be at most 366 (is 3000)'],
    [`${TABLE}Refresh: { PeriodMinutes: 5m }`, '5 Refresh.PeriodMinutes: must be a number (is "5m")'],
    [`${TABLE}Columns: ip`, '5 Columns: must be a list (is "ip")'],
    [`${TABLE}Inline: []`, '5 Inline: must have at least one entry (is [])'],
    [`${TABLE}Indicators: { k: user }`, /5 Indicators\.k: must be one of .*username.*, or a list of these \(is "user"\)/],
    [`AnalysisType: lookup_table\nExtend: t\n${EXTENDED}`, "2 unknown key 'Extend': did you mean 'Extends'?"],
  ])('%j: %s', async (text, tells) => {
    const { problems } = await load({ 't.yml': text, 't.csv': 'k\n1\n' })
    const all = problems.map(({ line, message }) => `${line} ${message}`).join('\n')
    if (typeof tells === 'string') expect(all).toContain(tells)
    else expect(all).toMatch(tells)
  })
})

test('a table of a pack that is off: its extension and the rules that read it say which pack to enable', async () => {
  const read = await load({
    'pack.yml': 'AnalysisType: pack\nPackID: Lists\nEnabled: false\n',
    't.yml': TABLE,
    't.csv': 'k\n1\n',
  })
  const known = withoutPacks(read, packsOff(read.packs, {}))
  const own = await load({
    'x.yml': `AnalysisType: lookup_table\nExtends: t\n${EXTENDED}`,
    'r.yml':
      'AnalysisType: rule\nRuleID: R\nEnabled: true\nSeverity: High\nLogTypes: [Custom.Sx]\n' +
      'Detection:\n  - { Enrichment: { Table: t, Selector: b, FieldPath: k }, Condition: Exists }\n',
  })
  const why = "the table 't' is in the pack Lists, which is off: run `caracal packs enable Lists`"
  expect(compileFiles(own, known).problems.map(({ message }) => message)).toEqual([`Extends: ${why}`])
  const { problems } = await checkEnrichments(own, { known: { content: known } } as Parameters<typeof checkEnrichments>[1])
  expect(problems.map(({ message }) => message)).toEqual([`Enrichment: ${why}. Until then rule 'R' never finds a row in it`])
})
