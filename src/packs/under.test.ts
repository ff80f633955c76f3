import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isUnder, rootOf } from './under.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-root-'))
mkdirSync(join(folder, 'repo/global_helpers'), { recursive: true })
mkdirSync(join(folder, 'repo/rules/aws'), { recursive: true })
mkdirSync(join(folder, 'repo/rules/aws/data_models'), { recursive: true })
mkdirSync(join(folder, 'models/data_models'), { recursive: true })
mkdirSync(join(folder, 'models/rules'), { recursive: true })
mkdirSync(join(folder, 'plain/rules'), { recursive: true })
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  { path: '/a', of: '/a', is: true },
  { path: '/a/b', of: '/a', is: true },
  { path: '/ab', of: '/a', is: false },
  { path: '/a', of: '/a/b', is: false },
  { path: '/a', of: '/', is: true },
])('$path is under $of: $is', ({ path, of, is }) => expect(isUnder(of, path)).toBe(is))

test('the root of a folder is the known root around it, else the folder with global_helpers, else with data_models, else itself', () => {
  expect(rootOf(join(folder, 'plain/rules'), [join(folder, 'plain')])).toBe(join(folder, 'plain'))
  expect(rootOf(join(folder, 'repo/rules/aws'), [])).toBe(join(folder, 'repo'))
  expect(rootOf(join(folder, 'models/rules'), [])).toBe(join(folder, 'models'))
  expect(rootOf(join(folder, 'plain/rules'), [])).toBe(join(folder, 'plain/rules'))
})
