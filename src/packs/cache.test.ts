import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { packageRoot } from '../util/entry.ts'
import { ContentCache } from './cache.ts'
import { loadContent } from './load.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'caracal-cache-'))
  made.push(path)
  return path
}

/** How often a cache had to read a text. */
async function reads(cacheFolder: string | undefined, texts: readonly string[]): Promise<string[]> {
  const cache = new ContentCache(cacheFolder, '/root', true)
  const read: string[] = []
  for (const text of texts) {
    const json = cache.json(text, (wanted) => {
      read.push(wanted)
      return JSON.stringify(wanted)
    })
    expect(json).toBe(JSON.stringify(text))
  }
  await cache.save()
  return read
}

function onlyFile(path: string): string {
  const [name, ...others] = readdirSync(path)
  expect(others).toEqual([])
  return join(path, name!)
}

test('a text is read once, a changed one again, and a removed one is forgotten', async () => {
  const path = folder()
  expect(await reads(path, ['a', 'b\n\u2028'])).toEqual(['a', 'b\n\u2028'])
  expect(await reads(path, ['a', 'b\n\u2028'])).toEqual([])
  expect(await reads(path, ['a', 'c'])).toEqual(['c'])
  expect(await reads(path, ['b\n\u2028'])).toEqual(['b\n\u2028'])
  expect(await reads(undefined, ['a'])).toEqual(['a'])
})

test.each<[string, (text: string) => string]>([
  ['cut', (text) => text.slice(0, -3)],
  ['changed', (text) => text.replace('"a"', '"x"')],
  ['of another version', (text) => text.replace('caracal-content ', 'caracal-content 9')],
  ['empty', () => ''],
  ['something else', () => 'hello\nworld\n'],
])('a file that is %s is ignored and rewritten', async (_, damage) => {
  const path = folder()
  await reads(path, ['a', 'b'])
  const file = onlyFile(path)
  writeFileSync(file, damage(readFileSync(file, 'utf8')))
  expect(await reads(path, ['a', 'b'])).toEqual(['a', 'b'])
  expect(await reads(path, ['a', 'b'])).toEqual([])
})

test('a folder that cannot be written does not cause a failure', async () => {
  const path = folder()
  writeFileSync(join(path, 'file'), '')
  expect(await reads(join(path, 'file', 'below'), ['a'])).toEqual(['a'])
})

test('content from the cache is the same as content that was read, including problems and lines', async () => {
  const root = folder()
  const cache = folder()
  const head = 'AnalysisType: rule\nEnabled: true\nLogTypes: [A.B]\nSeverity: Low\nReports: { CIS: [3.10] }\n'
  const tests = 'Tests:\n  - { Name: t, ExpectedResult: true, Log: { n: 12345678901234567890, f: 2.0, __proto__: { x: 1 } } }\n'
  writeFileSync(join(root, 'a.yml'), `${head}RuleID: A\nFilename: a.py\n${tests}`)
  writeFileSync(join(root, 'a.py'), '')
  writeFileSync(join(root, 'b.yml'), `${head}RuleID: B\nFilename: a.py\nSevrity: High\n`)
  writeFileSync(join(root, 'c.yml'), 'AnalysisType: rule\n: : :\n')
  const plain = await loadContent([root])
  const cold = await loadContent([root], { cache })
  const warm = await loadContent([root], { cache })
  expect(plain.problems.map(({ line }) => line)).toEqual([8, 2])
  expect(plain.rules[0]?.tests[0]?.log).toBe('{"n":12345678901234567890,"f":2.0,"__proto__":{"x":1}}')
  expect(cold).toEqual(plain)
  expect(warm).toEqual(plain)
})

test.each([true, false])('the packs that come with the program are read by its build (tests: %s)', (tests) => {
  const packs = join(packageRoot(), 'packs')
  const files = readdirSync(packs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('pack.yml'))
  expect(files.length).toBeGreaterThan(20)
  const cache = new ContentCache(undefined, packs, tests)
  for (const file of files)
    cache.json(readFileSync(join(packs, file), 'utf8'), () => {
      throw new Error(`${file} is not there`)
    })
})
