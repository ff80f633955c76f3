import { expect, test } from 'vitest'
import type { ContentView } from '../engine.ts'
import { contentProblems } from './content.ts'

test('unknown names are one problem per file', () => {
  const content = {
    broken: [{ file: 'b.yml:3', message: 'unknown key' }],
    names: [
      { file: 'a.yml', message: 'no log type' },
      { file: 'b.yml', message: 'no query' },
      { file: 'a.yml', message: 'no destination' },
    ],
  } as unknown as ContentView
  expect(contentProblems(content).map(({ what, key, message }) => [what, key, message])).toEqual([
    ['ContentBroken', 'b.yml:3', 'b.yml:3: unknown key'],
    ['NameUnknown', 'a.yml', 'a.yml: no log type; no destination'],
    ['NameUnknown', 'b.yml', 'b.yml: no query'],
  ])
})
