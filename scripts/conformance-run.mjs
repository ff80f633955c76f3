// Gives every file below DIR/zeek to `caracal run` and to `caracal up`, and compares the events, matches and dead letters that come out.
// `npm run build && node scripts/conformance-run.mjs DIR`: prints their numbers and each difference; exit code 1 if there is any.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { compareRunAndUp } from './lib/run-and-up.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const data = process.argv[2]
if (!data) {
  console.error('Usage: node scripts/conformance-run.mjs DIR (the folder that holds zeek/)')
  process.exit(2)
}

function filesBelow(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)))
}

/** `up` reads a file and its copy once, `run` reads what it is given. */
function withoutCopies(files) {
  const seen = new Set()
  return files.filter((path) => {
    const hash = createHash('sha256').update(contentOf(path)).digest('hex')
    return !seen.has(hash) && seen.add(hash)
  })
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
  const { events, matches, deadLetters, differences } = await compareRunAndUp(files, { folder, program })
  console.log(
    `${files.length} files: ${events} events, ${matches} matches, ${deadLetters} dead letters, ${differences.length} differences`,
  )
  for (const difference of differences) console.log(`  ${difference}`)
  process.exitCode = differences.length > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
