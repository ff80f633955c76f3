// `npm run fuzz [FILTER …]`: every test file with random foreign input, 100,000 cases each (FUZZ_RUNS sets another number).
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const sources = ['src', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
)
const files = sources
  .filter((file) => file.endsWith('.ts') && readFileSync(join(root, file), 'utf8').includes("/support/fuzz.ts'"))
  // A behaviour suite is run by the test file beside it.
  .map((file) => (file.endsWith('.test.ts') ? file : file.replace(/\.ts$/, '.test.ts')))
  .filter((file) => existsSync(join(root, file)))
  .filter((file) => process.argv.length < 3 || process.argv.slice(2).some((part) => file.includes(part)))
const env = { FUZZ_RUNS: '100000', ...process.env }
console.log(`${files.length} files, ${env.FUZZ_RUNS} cases for each property`)
const options = ['--testTimeout', String(12 * 3_600_000)]
execFileSync('npx', ['vitest', 'run', ...options, ...new Set(files)], { cwd: root, env, stdio: 'inherit' })
