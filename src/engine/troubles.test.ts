import { expect, test } from 'vitest'
import { createLog } from '../telemetry/log.ts'
import { logChanges } from './health.ts'
import { Problems } from './problems.ts'
import { Troubles } from './troubles.ts'

test('what a batch met is logged with its id and its source, also once it is over', () => {
  const lines: string[] = []
  const problems = new Problems(() => 0)
  problems.onChange = logChanges(createLog({ isPretty: false, write: (line) => lines.push(line) }))
  const troubles = new Troubles((all) => problems.report('pipeline', all))
  troubles.set('cache', 'an entry was dropped', { batchId: '0017', sourceId: 'web', extent: { kind: 'list' }, receivedMs: 1 })
  troubles.set('outbox', 'it is full')
  troubles.set('cache', undefined)
  const about = lines.map((line) => JSON.parse(line)).map(({ what, source, batch, msg }) => [what, source, batch, msg])
  expect(about).toEqual([
    ['RulesImpaired', 'web', '0017', 'an entry was dropped'],
    ['LakeDown', undefined, undefined, 'it is full'],
    ['RulesImpaired', 'web', '0017', 'Resolved: an entry was dropped'],
  ])
})
