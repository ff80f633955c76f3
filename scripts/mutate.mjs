// Changes the code in small ways and checks that a test fails: `npm run mutate [-- FOLDER…]`. Installs Stryker by name beside
// the development dependencies for the time being (the next `npm install` takes it away), goes on from its last run, and
// stops after MUTATE_MINUTES (60). Prints per folder how many mutants were killed, survived, and ran under no test.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const STRYKER = ['@stryker-mutator/core@9.6.1', '@stryker-mutator/vitest-runner@9.6.1']
const FOLDERS = ['src/stages/alert', 'src/pipeline', 'src/stages/deliver', 'src/stages/enrich']

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const work = join(root, '.mutate')
const end = Date.now() + Number(process.env.MUTATE_MINUTES ?? 60) * 60_000
const folders = process.argv.slice(2)

mkdirSync(work, { recursive: true })
if (!existsSync(join(root, 'node_modules/@stryker-mutator/vitest-runner'))) {
  const { status } = spawnSync('npm', ['install', '--no-save', '--ignore-scripts', ...STRYKER], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** Runs Stryker over one file until the time is up: its report, or nothing when it did not end. */
async function mutate(path, folder) {
  const name = path.replaceAll('/', '-')
  const report = join(work, `${name}.report.json`)
  const settings = {
    mutate: [path],
    testRunner: 'vitest',
    vitest: { configFile: 'scripts/mutate/vitest.config.mjs', related: true },
    plugins: ['@stryker-mutator/vitest-runner'],
    incremental: true,
    incrementalFile: join(work, `${name}.incremental.json`),
    reporters: ['json'],
    jsonReporter: { fileName: report },
    tempDirName: join(work, 'tmp'),
    ignorePatterns: ['/data', '/dist', '/.mutate', '/bench', '/docs'],
    concurrency: 2,
    timeoutMS: 15_000,
    logLevel: 'error',
    // Stryker would rewrite tsconfig.json with the old compiler's API, which TypeScript 7 does not have; nothing here needs it.
    tsconfigFile: 'none.json',
  }
  const file = join(work, `${name}.config.json`)
  writeFileSync(file, JSON.stringify(settings))
  rmSync(report, { force: true })
  const child = spawn(join(root, 'node_modules/.bin/stryker'), ['run', file], {
    cwd: root,
    env: { ...process.env, MUTATE_FOLDER: folder },
    stdio: 'ignore',
  })
  const timer = setTimeout(() => child.kill('SIGINT'), Math.max(0, end - Date.now()))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  clearTimeout(timer)
  return code === 0 && existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
}

/** Source files of a folder without tests, biggest last: what is small is seen in any case. */
function filesOf(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort((a, b) => statSync(join(root, a)).size - statSync(join(root, b)).size)
}

for (const folder of folders.length > 0 ? folders : FOLDERS) {
  const sum = { killed: 0, survived: 0, uncovered: 0, unreached: 0 }
  const survivors = []
  for (const path of filesOf(folder)) {
    const report = Date.now() < end ? await mutate(path, folder) : undefined
    // Stryker also fails over a file that no test imports, or that holds types only.
    if (!report && Date.now() >= end) sum.unreached++
    for (const { mutants } of Object.values(report?.files ?? {})) {
      for (const { status, location, mutatorName, replacement = '' } of mutants) {
        if (status === 'Killed' || status === 'Timeout') sum.killed++
        else if (status === 'NoCoverage') sum.uncovered++
        else if (status === 'Survived') {
          sum.survived++
          survivors.push(
            `  survived  ${path}:${location.start.line}  ${mutatorName}: ${replacement.slice(0, 100).replaceAll('\n', ' ')}`,
          )
        }
      }
    }
  }
  const share = Math.round((100 * sum.killed) / Math.max(1, sum.killed + sum.survived))
  const unreached = sum.unreached > 0 ? `; ${sum.unreached} files not reached within the time` : ''
  console.log(
    `${folder}: ${sum.killed} killed, ${sum.survived} survived, ${sum.uncovered} not covered; ${share} % of the covered ones killed${unreached}`,
  )
  for (const line of survivors) console.log(line)
}
