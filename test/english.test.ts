import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const glossary = readFileSync(join(root, 'docs/glossary.md'), 'utf8')
const [, list = ''] = /^## Words not to use\n([\s\S]*?)^These have a proper use/m.exec(glossary) ?? []
const words = [...list.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) =>
  [...cell!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!),
)

const files = [
  'README.md',
  'CONTRIBUTING.md',
  ...['src', 'docs', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  ),
].filter((file) => /\.(?:ts|py|md)$/.test(file) && !['docs/glossary.md', 'test/english.test.ts'].includes(file))

/** Lines that contain one of the words, in any case and also across a line break within a comment. */
function found(text: string): string[] {
  const pattern = new RegExp(`(?<![\\w-])(?:${words.join('|').replaceAll(' ', '\\s+(?:(?:\\*|//|#) )?')})(?![\\w-])`, 'gi')
  return [...text.matchAll(pattern)].map(({ index, 0: match }) => `${text.slice(0, index).split('\n').length}: ${match}`)
}

test('no file uses a word that docs/glossary.md rules out', () => {
  expect(words).toContain('so many')
  const uses = files.flatMap((file) => found(readFileSync(join(root, file), 'utf8')).map((use) => `${file}:${use}`))
  expect(uses, 'docs/glossary.md says what to write instead').toEqual([])
})

test.each([
  ['// Rows are kept for\n// ever.', ['1: for\n// ever']],
  [' * so\n * many', ['1: so\n * many']],
  ['Told of it, mended', ['1: Told', '1: mended']],
  ['whatever happens, recommended, stolder, so manyfold', []],
])('%j contains %j', (text, uses) => {
  expect(found(text)).toEqual(uses)
})
