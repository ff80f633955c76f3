import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Content } from './content.ts'
import { loadContent } from './load.ts'
import { packStates, packsOff, unknownPacks, withoutPacks } from './packs.ts'

const RULE = (id: string, more = 'Enabled: true') =>
  `AnalysisType: rule\nRuleID: ${id}\n${more}\nLogTypes: [Custom.A]\nSeverity: Low\nDetection:\n  - { Key: a, Condition: Equals, Value: 1 }\n`
const files: Record<string, string> = {
  'a.yml': RULE('A'),
  'b.yml': RULE('B'),
  'none.yml': RULE('None'),
  'disabled.yml': RULE('Disabled', 'Enabled: false'),
  'derived.yml': 'AnalysisType: rule\nRuleID: Derived\nBaseDetection: A\n',
  's.yml': 'AnalysisType: scheduled_rule\nRuleID: S\nEnabled: true\nFilename: s.py\nScheduledQueries: [Q]\nSeverity: Info\n',
  's.py': 'def rule(event):\n    return True\n',
  'p.yml': 'AnalysisType: policy\nPolicyID: P\nEnabled: true\nFilename: p.py\nSeverity: High\n',
  'p.py': 'def policy(resource):\n    return True\n',
  'c.yml':
    'AnalysisType: correlation_rule\nRuleID: C\nEnabled: true\nSeverity: High\n' +
    'Detection:\n  - Group:\n      - { ID: a, RuleID: A }\n      - { ID: b, RuleID: B }\n',
  'one.yml': 'AnalysisType: pack\nPackID: One\nDisplayName: The one\nPackDefinition: { IDs: [A, B, S, P, C, Disabled, Gone] }\n',
  'two.yml': 'AnalysisType: pack\nPackID: Two\nPackDefinition: { IDs: [B] }\n',
  'vendor/pack.yml': 'AnalysisType: pack\nPackID: Vendor\n',
  'vendor/rules/v.yml': RULE('V'),
  'feeds/pack.yml': 'AnalysisType: pack\nPackID: Feeds\nEnabled: false\n',
  'feeds/t.csv': 'a\n1\n',
  'feeds/t.yml': 'AnalysisType: lookup_table\nLookupName: t\nFilename: t.csv\nLogTypeMap: { PrimaryKey: a }\n',
  'empty.yml': 'AnalysisType: pack\nPackID: Empty\nPackDefinition: { IDs: [] }\n',
}
let root: string
let content: Content

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'caracal-packs-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  content = await loadContent([root])
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Ids of the items that run. */
function running({ rules, scheduledRules, policies, correlationRules }: Content): string[] {
  const correlation = correlationRules.filter(({ rule }) => rule.enabled)
  return [...[...rules, ...scheduledRules, ...policies].filter(({ enabled }) => enabled), ...correlation]
    .map(({ id }) => id)
    .sort()
}

test('an id without an item is reported as missing', () => {
  expect(content.problems.map(({ message }) => message)).toEqual([
    "PackDefinition: there is no item 'Gone' in this content root: did you mean 'None'?",
  ])
})

describe('what runs', () => {
  test.each<[off: string[], ids: string[]]>([
    [[], ['A', 'B', 'C', 'Derived', 'None', 'P', 'S', 'V']],
    [['One'], ['B', 'Derived', 'None', 'V']],
    [['Two'], ['A', 'B', 'C', 'Derived', 'None', 'P', 'S', 'V']],
    [
      ['One', 'Two'],
      ['Derived', 'None', 'V'],
    ],
    [['Vendor'], ['A', 'B', 'C', 'Derived', 'None', 'P', 'S']],
    [
      ['Empty', 'Unknown', 'A'],
      ['A', 'B', 'C', 'Derived', 'None', 'P', 'S', 'V'],
    ],
  ])('without %j: %j', (off, ids) => {
    expect(running(withoutPacks(content, off))).toEqual(ids)
  })
})

test('a pack that has to be enabled is off until it is, and its tables are not used', () => {
  const tables = (choice: Parameters<typeof packsOff>[1]) =>
    withoutPacks(content, packsOff(content.packs, choice)).tables.map(({ name }) => name)
  expect(tables({})).toEqual([])
  expect(tables({ enabled_packs: ['Feeds'] })).toEqual(['t'])
  expect(tables({ enabled_packs: ['Feeds'], disabled_packs: ['Feeds'] })).toEqual([])
})

test('the states of all packs', () => {
  const known = { displayName: undefined, isOn: true, isOptional: false, tables: 0, missing: [] }
  expect(packStates(content, ['One'])).toEqual([
    { ...known, id: 'Empty', detections: 0, enabled: 0, running: 0 },
    { ...known, id: 'Feeds', isOptional: true, detections: 0, enabled: 0, running: 0, tables: 1 },
    { ...known, id: 'One', displayName: 'The one', isOn: false, detections: 6, enabled: 5, running: 1, missing: ['Gone'] },
    { ...known, id: 'Two', detections: 1, enabled: 1, running: 1 },
    { ...known, id: 'Vendor', detections: 1, enabled: 1, running: 1 },
  ])
})

test('an unknown pack id is reported with a suggestion', () => {
  expect(unknownPacks(content.packs, { disabled_packs: ['One', 'vendro', 'Something else'], enabled_packs: ['feed'] })).toEqual([
    "disabled_packs: there is no pack 'vendro': did you mean 'Vendor'?",
    "disabled_packs: there is no pack 'Something else': correct the id or remove it. Known: Empty, Feeds, One, Two, Vendor",
    "enabled_packs: there is no pack 'feed': did you mean 'Feeds'?",
  ])
})

test('a pack of a later root hides the same one of an earlier root', async () => {
  const later = join(root, 'later')
  mkdirSync(later)
  writeFileSync(join(later, 'one.yml'), 'AnalysisType: pack\nPackID: One\nPackDefinition: { IDs: [L] }\n')
  writeFileSync(join(later, 'l.yml'), RULE('L'))
  const both = await loadContent([{ folder: root, without: [later] }, { folder: later }])
  expect(running(withoutPacks(both, ['One']))).toEqual(running(content))
  expect(both.notices.filter((notice) => notice.startsWith("pack 'One'"))).toHaveLength(1)
})
