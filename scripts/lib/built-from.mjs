// Which files dist was built from: `npm install` and `npm test` both build, and mostly there is nothing new.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Everything in the repository that a build reads. */
const SOURCES = [
  'src',
  'console',
  'packs',
  'docs',
  'scripts',
  'README.md',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.client.json',
]
const STAMP = 'built-from'

/** A hash of the names and contents of these files, and of what builds them. */
export function hashOfSources(root) {
  const hash = createHash('sha256').update(`${process.version} ${process.platform} ${process.arch}\0`)
  for (const source of SOURCES)
    for (const path of filesOf(root, source)) hash.update(`${path}\0`).update(readFileSync(join(root, path)))
  return hash.digest('hex')
}

/** Whether that folder is a whole build of the files with this hash. */
export function isBuiltFrom(dist, hash) {
  const stamp = join(dist, STAMP)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash
}

export function writeStamp(dist, hash) {
  writeFileSync(join(dist, STAMP), hash)
}

function filesOf(root, path) {
  const entries = entriesOf(join(root, path))
  if (!entries) return [path]
  return entries
    .filter(({ name }) => name !== '__pycache__' && name !== 'node_modules' && !name.endsWith('.test.ts'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesOf(root, `${path}/${entry.name}`))
}

/** `undefined`: it is a file. */
function entriesOf(path) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return undefined
    throw error
  }
}
