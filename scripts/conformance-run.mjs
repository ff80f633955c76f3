// Gives every file below DIR/zeek to `caracal run` and to `caracal up`, and compares the events, matches and dead letters that come out.
// `npm run build && node scripts/conformance-run.mjs DIR`: prints their numbers and each difference; exit code 1 if there is any.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
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

const folder = mkdtempSync(join(tmpdir(), 'caracal-conformance-run-'))
try {
  const files = filesBelow(resolve(data, 'zeek'))
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
