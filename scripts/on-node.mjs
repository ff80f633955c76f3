// Runs Caracal with other versions of Node: the demo until its CRITICAL alert, a clean end after SIGTERM, and the attacks on
// the Python sandbox. `npm run build && node scripts/on-node.mjs [MAJOR…]` (default: every version that the README names).
// Each Node comes from npm's platform package into a temporary folder. Prints a line a version; exit code 1 if one fails.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ALERT = 'CRITICAL  SSH Connection Established from TOR Exit Node'
const ALERT_MS = 180_000
const STOP_MS = 60_000
const ATTACKS = 'src/stages/detect/python/interpreter/attack.test.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const majors = process.argv.slice(2)
if (majors.some((major) => !/^\d+$/.test(major))) {
  console.error('Usage: node scripts/on-node.mjs [MAJOR…], for example: node scripts/on-node.mjs 24 26')
  process.exit(2)
}

function fetchNode(major, folder) {
  const name = `node-${process.platform}-${process.arch}`
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, `${name}@${major}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
  })
  return join(folder, 'node_modules', name, 'bin/node')
}

/** Resolves with the seconds to the alert, or rejects with what was printed instead. */
function demo(node, folder) {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(
      node,
      [join(root, 'bin/caracal.js'), 'up', '--data-dir', join(folder, 'data'), '--listen', '127.0.0.1:0'],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let text = ''
    let seconds
    const end = (why) => {
      text += `\n${why}`
      child.kill('SIGKILL')
    }
    let timer = setTimeout(() => end(`no alert within ${ALERT_MS / 1000} s`), ALERT_MS)
    const hear = (chunk) => {
      text += chunk
      if (seconds !== undefined || !text.includes(ALERT)) return
      seconds = (performance.now() - started) / 1000
      clearTimeout(timer)
      timer = setTimeout(() => end(`it did not end within ${STOP_MS / 1000} s of SIGTERM`), STOP_MS)
      child.kill('SIGTERM')
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.on('error', (error) => end(error.message))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (seconds !== undefined && code === 0) resolve(seconds)
      else reject(new Error(`the demo ended with ${signal ?? `exit code ${code}`}\n${text.slice(-3000)}`))
    })
  })
}

/** Gives the number of attacks that the sandbox held against. */
function attacks(node) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status, stdout, stderr } = spawnSync(node, [vitest, 'run', ATTACKS, '--maxWorkers=1', '--reporter=json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(`the attack tests failed\n${`${stdout}\n${stderr}`.slice(-3000)}`)
  return JSON.parse(stdout.slice(stdout.indexOf('{'))).numPassedTests
}

let failed = false
for (const major of majors.length > 0 ? majors : ['20', '22', '24', '26']) {
  const folder = mkdtempSync(join(tmpdir(), `caracal-node${major}-`))
  try {
    const node = fetchNode(major, folder)
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
    const seconds = await demo(node, folder)
    console.log(
      `Node ${version}: alert after ${seconds.toFixed(1)} s, exit code 0 after SIGTERM, ${attacks(node)} attack tests passed`,
    )
  } catch (error) {
    failed = true
    console.log(`Node ${major}: FAILED: ${error.message}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
process.exit(failed ? 1 : 0)
