import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { changedParts, contentParts, hashOf } from './content-parts.ts'
import { alertingRules, loadPath } from './path.ts'
import { ruleViews } from './rule-views.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-path-'))
  const detection = 'Detection:\n  - { Key: a, Condition: Equals, Value: 1 }\n'
  const rule = (id: string) =>
    `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [Custom.A]\nSeverity: Low\n${detection}`
  writeFileSync(join(folder, 'in.yml'), rule('Path.In'))
  writeFileSync(join(folder, 'out.yml'), rule('Path.Out'))
  writeFileSync(
    join(folder, 'c.yml'),
    'AnalysisType: correlation_rule\nRuleID: Path.C\nEnabled: true\nSeverity: High\n' +
      'Detection:\n  - Group:\n      - { ID: a, RuleID: Path.In }\n      - { ID: b, RuleID: Path.Out }\n',
  )
  writeFileSync(join(folder, 'p.yml'), 'AnalysisType: pack\nPackID: Path.Pack\nPackDefinition: { IDs: [Path.In, Path.C] }\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the detections of packs that are off do not run, and an unknown pack is a problem', async () => {
  const own = async (disabled: string[]) => {
    const loaded = await loadPath({ content: [folder], disabled_packs: disabled })
    const ids = [...alertingRules(loaded).keys()].filter((id) => id.startsWith('Path.')).sort()
    return { ids, problems: loaded.problems.map(({ message }) => message) }
  }
  expect(await own([])).toEqual({ ids: ['Path.C', 'Path.In', 'Path.Out'], problems: [] })
  expect(await own(['Path.Pack'])).toEqual({ ids: ['Path.Out'], problems: [] })
  const unknown = await own(['Path.Pakc'])
  expect(unknown.ids).toHaveLength(3)
  expect(unknown.problems).toEqual(["disabled_packs: there is no pack 'Path.Pakc': did you mean 'Path.Pack'?"])
})

test('an override is in force, changes only the hash of its rule, and is shown; a pack that is off stays off', async () => {
  const overrides = mkdtempSync(join(tmpdir(), 'caracal-path-'))
  onTestFinished(() => rmSync(overrides, { recursive: true }))
  const load = (off: string[] = []) => loadPath({ content: [folder, overrides], disabled_packs: off })
  const partsOf = async () => contentParts((await load()).content, [])
  const before = await partsOf()
  writeFileSync(
    join(overrides, 'overrides.yml'),
    'Overrides:\n  - RuleID: Path.In\n    Severity: High\n    Enabled: true\n  - { RuleID: Path.C, Enabled: false }\n',
  )
  const loaded = await load()
  const running = alertingRules(loaded)
  expect([loaded.problems, running.get('Path.In')?.severity, running.has('Path.C')]).toEqual([[], 'HIGH', false])
  expect(ruleViews(loaded.content).find(({ id }) => id === 'Path.In')).toMatchObject({
    severity: 'HIGH',
    overrides: [
      { key: 'Enabled', line: 4 },
      { key: 'Severity', file: join(overrides, 'overrides.yml'), line: 3 },
    ],
  })
  const after = await partsOf()
  expect(changedParts(before, after).map(({ name }) => name)).toEqual(['Path.In', 'Path.C'])
  expect(hashOf(after)).not.toBe(hashOf(before))
  expect(alertingRules(await load(['Path.Pack'])).has('Path.In')).toBe(false)
})

test('a data folder inside a content root is not content, but what was pulled into it is', async () => {
  const data = join(folder, 'data')
  const tree = join(data, 'content-git/x/tree')
  mkdirSync(tree, { recursive: true })
  onTestFinished(() => rmSync(data, { recursive: true }))
  const rule = (id: string) =>
    `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [Custom.A]\nSeverity: Low\nDetection:\n  - { Key: a, Condition: Equals, Value: 1 }\n`
  writeFileSync(join(data, 'stray.yml'), rule('Path.Stray'))
  writeFileSync(join(tree, 'git.yml'), rule('Path.Git'))
  const idsOf = async (content: string[]) =>
    (await loadPath({ content, data_dir: data })).content.rules
      .map(({ id }) => id)
      .filter((id) => id.startsWith('Path.'))
      .sort()
  expect(await idsOf([folder])).toEqual(['Path.In', 'Path.Out'])
  expect(await idsOf([folder, tree])).toEqual(['Path.Git', 'Path.In', 'Path.Out'])
})
