// Runs `caracal run` and `caracal up` on every file below DIR/zeek, and compares the resulting events, matches and dead letters.
// `npm run build && node scripts/conformance-run.mjs DIR`: prints their numbers and each difference; exit code 1 if there is any.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { compareRunAndUp } from './lib/run-and-up.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [data, workers] = process.argv.slice(2)
if (!data) {
  console.error(
    'Usage: node scripts/conformance-run.mjs DIR [WORKERS] (the folder that holds zeek/; the number of workers of caracal up)',
  )
  process.exit(2)
}

function filesBelow(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)))
}

/** A shorter file is distinguished from others by more than its first bytes. */
const LONG_ENOUGH = 1024

/** `up` reads a file once that is the beginning of another one, or all of it; `run` reads what it is given. */
function withoutCopies(files) {
  const contents = files.map((path) => ({ path, content: contentOf(path) }))
  const longestFirst = contents.toSorted((a, b) => b.content.length - a.content.length)
  const kept = new Map()
  const copies = new Set()
  for (const { path, content } of longestFirst) {
    const head = content.toString('latin1', 0, LONG_ENOUGH)
    const alike = kept.get(head) ?? []
    kept.set(head, alike)
    const isCopy = alike.some((other) =>
      content.length < LONG_ENOUGH ? other.equals(content) : other.subarray(0, content.length).equals(content),
    )
    if (isCopy) copies.add(path)
    else alike.push(content)
  }
  return files.filter((path) => !copies.has(path))
}

function contentOf(path) {
  const bytes = readFileSync(path)
  try {
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
  } catch {
    return bytes
  }
}

const folder = mkdtempSync(join(tmpdir(), 'caracal-conformance-run-'))
try {
  const files = withoutCopies(filesBelow(resolve(data, 'zeek')))
  const program = join(root, 'bin/caracal.js')
  const { events, matches, deadLetters, differences } = await compareRunAndUp(files, {
    folder,
    program,
    ...(workers && { workers: Number(workers) }),
  })
  console.log(
    `${files.length} files: ${events} events, ${matches} matches, ${deadLetters} dead letters, ${differences.length} differences`,
  )
  for (const difference of differences) console.log(`  ${difference}`)
  process.exitCode = differences.length > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
