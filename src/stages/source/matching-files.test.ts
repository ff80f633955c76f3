import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { escapePath, glob } from 'tinyglobby'
import { afterAll, expect, test } from 'vitest'
import { matchingFiles } from './matching-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-matching-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const NAMES = ['a.log', 'b [1].log', '(c).log', '.hidden', "it's {x}.log", 'back!.log', 'inner/d.log']
mkdirSync(at('inner'))
for (const name of NAMES) writeFileSync(at(name), '')
symlinkSync(at('a.log'), at('link.log'))
symlinkSync(at('gone.log'), at('dangling.log'))

test.each([
  ['paths', NAMES.map((name) => escapePath(at(name)))],
  ['paths of what is no file', [at('inner'), at('missing.log'), at('dangling.log')]],
  ['a link', [at('link.log')]],
  ['relative paths', NAMES.map((name) => escapePath(relative(process.cwd(), at(name))))],
  ['paths and patterns', [at('a.log'), at('*.log'), at('**/d.log'), at('a.log')]],
  ['patterns that take away', [at('*.log'), at('a.log'), `!${at('a.log')}`]],
])('%s match the same files as a search for them', async (_, patterns) => {
  const options = { absolute: true, onlyFiles: true, expandDirectories: false, dot: true }
  expect(await matchingFiles(patterns)).toEqual((await glob(patterns, options)).sort())
})
