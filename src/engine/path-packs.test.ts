import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { alertingRules, loadPath } from './path.ts'

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
