import { expect, test } from 'vitest'
import type { Rule } from '../../model/rule.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import { readsByLogType } from './reads.ts'

const rule = (id: string, language: string, code: string, more: Partial<Rule> = {}): Rule =>
  ({ id, enabled: true, logTypes: ['A.Log'], source: { language, file: `${id}.x`, code }, ...more }) as Rule
const schema = (name: string) => ({ name, table: name.toLowerCase().replace('.', '_'), columns: [] }) as unknown as CompiledSchema

const DETECTION = JSON.stringify({
  Detection: [
    { Key: 'status', Condition: 'Equals', Value: 'bad' },
    {
      Any: [
        { KeyPath: 'user.name', Condition: 'Exists' },
        { KeyPath: 'items[*].id', Condition: 'Exists' },
      ],
    },
    { Enrichment: { Table: 'tor', Selector: 'ip', FieldPath: 'x' }, Condition: 'Exists' },
    { Condition: 'AnyElement', KeyPath: 'list', Expressions: [{ Key: 'inner', Condition: 'Exists' }] },
  ],
})

test('fields that rules of any language read, by log type and with the rules', () => {
  const python = 'def rule(event):\n    return event.get("status") == event.udm("who") == event.udm("odd")\n'
  const reads = readsByLogType({
    rules: [
      rule('Yaml', 'simple', DETECTION),
      rule('Python', 'python', python, {
        logTypes: ['A.Log', 'B.Log', 'Without.Schema'],
        inlineFilter: { op: 'exists', field: { kind: 'path', segments: ['filtered'] } },
      }),
      rule('Off', 'python', 'def rule(event):\n    return event["off"]\n', { enabled: false }),
      rule('Scheduled', 'python', 'def rule(event):\n    return event["row"]\n', { kind: 'scheduled_rule' }),
      rule('Broken', 'simple', '{'),
    ],
    schemas: new Map(['A.Log', 'B.Log'].map((name) => [name, schema(name)])),
    dataModels: [
      {
        ...{ id: 'm', displayName: undefined, enabled: true, logTypes: ['A.Log'], file: '', root: '', source: undefined },
        mappings: [
          { name: 'who', path: '$.user.name' },
          { name: 'odd', path: '$.list[0]' },
        ],
      },
    ],
  })
  const shown = reads.map(({ logType, table, fields }) => [
    `${logType} ${table}`,
    ...fields.map(({ path, ruleIds }) => `${path.join('.')}: ${ruleIds.join(' ')}`),
  ])
  expect(shown).toEqual([
    [
      'A.Log a_log',
      'status: Yaml Python',
      'user.name: Yaml Python',
      'items: Yaml',
      'p_enrichment.tor: Yaml',
      'list: Yaml',
      'filtered: Python',
    ],
    ['B.Log b_log', 'filtered: Python', 'status: Python'],
  ])
})
