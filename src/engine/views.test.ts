import { expect, test } from 'vitest'
import type { TableStatus } from '../stages/enrich/keeper-types.ts'
import { createViews } from './views.ts'

test('a table that was never fetched says when it will be', async () => {
  const nextRefreshMs = Date.parse('2024-03-12T10:00:00Z')
  const status: Partial<TableStatus> = { name: 'tor', provider: 'url', health: 'missing', rows: 0, skipped: 0, nextRefreshMs }
  const views = createViews({ keeper: { status: () => [status] }, tables: () => [] } as unknown as Parameters<
    typeof createViews
  >[0])
  expect((await views.tables())[0]).toMatchObject({
    state: 'missing',
    problem: 'it has not been fetched yet: its first refresh is due at 2024-03-12T10:00:00.000Z',
  })
})
