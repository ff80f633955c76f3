import { expect, test } from 'vitest'
import type { News } from '../../model/news.ts'
import type { Desk } from '../alert-desk.ts'
import { deskWithNews } from './desk-news.ts'

test.each([
  ['changed', [{ kind: 'alert.updated', subject: 'a' }]],
  ['unchanged', []],
  ['not_found', []],
] as const)('a hold whose outcome is %s', async (outcome, expected) => {
  const published: News[] = []
  const desk = deskWithNews((async () => outcome) as unknown as Desk, (news) => void published.push(news))
  await desk({ do: 'hold', alertId: 'a', held: true, reason: 'case 7', by: 'ana' })
  expect(published).toEqual(expected)
})
