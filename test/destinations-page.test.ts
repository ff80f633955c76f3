import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { destinations } from '../src/stages/deliver/index.ts'
import { TEMPLATE_FIELDS } from '../src/stages/deliver/template.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/destinations.md'), 'utf8')

test('docs/destinations.md configures every destination', () => {
  const shown = new Set([...page.matchAll(/^ {2}- type: (\w+)$/gm)].map(([, type]) => type))
  expect([...shown].sort()).toEqual(destinations.map(({ type }) => type).sort())
})

test('docs/destinations.md lists every name that the body of a webhook may use, and no other', () => {
  const table = page.split('| name | |')[1]!.split('\n\n')[0]!
  const cells = [...table.matchAll(/^\| ([^|]*) \|/gm)].map(([, cell]) => cell!)
  const names = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
  expect(names.sort()).toEqual([...TEMPLATE_FIELDS].sort())
})
