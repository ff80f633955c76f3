// Compares our stand-ins for third-party Python modules (src/sdk/python: dateutil, policyuniverse, six, pycountry) with the packages of
// these names: `npm run conformance:python`. The packages come from PyPI into a virtual environment that stays in the folder for
// temporary files. Without Python, venv or pip it says so and exits 0. Exit code 1: some answers differ, each is printed.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = ['python-dateutil==2.9.0.post0', 'policyuniverse==1.5.1.20230817', 'six==1.17.0', 'pycountry==26.2.16']
const MAX_PRINTED = 20

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(tmpdir(), 'caracal-conformance-python')
const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')

function skip(why) {
  console.log(`skipped: ${why}`)
  process.exit(0)
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 29, ...options })
}

if (!existsSync(python)) {
  const made = run('python3', ['-m', 'venv', folder])
  if (made.status !== 0) skip(`no virtual environment can be made: ${made.error?.message ?? made.stderr}`)
}
const installed = run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES])
if (installed.status !== 0) skip(`the packages cannot be installed: ${installed.stderr}`)

function cut(answer) {
  return String(JSON.stringify(answer)).slice(0, 300)
}

/** The answers, in the order of the questions. `path`: where modules are looked for first. */
function answers(path) {
  const { status, stdout, stderr } = run(python, [join(root, 'scripts/conformance/python-twins.py')], {
    env: { ...process.env, PYTHONPATH: path, PYTHONHASHSEED: '0' },
  })
  if (status !== 0) {
    console.error(`the questions cannot be asked: ${stderr.slice(-2000)}`)
    process.exit(2)
  }
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const real = answers('')
const ours = answers(join(root, 'src/sdk/python'))
const counts = {}
let printed = 0
for (const [at, [module, question, theirs]] of real.entries()) {
  const own = ours[at]?.[2]
  const outcome = own && 'refused' in own ? 'refused' : JSON.stringify(own) === JSON.stringify(theirs) ? 'same' : 'different'
  counts[module] ??= { same: 0, refused: 0, different: 0 }
  counts[module][outcome]++
  if (outcome === 'different' && printed++ < MAX_PRINTED) {
    console.log(`${module}: ${question}\n  package  ${cut(theirs)}\n  ours     ${cut(own)}`)
  }
}
console.table(counts)
const different = Object.values(counts).reduce((sum, count) => sum + count.different, 0)
if (different > 0 || ours.length !== real.length) process.exit(1)
