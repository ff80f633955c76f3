import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { freePort } from './support/caracal.ts'
import { TestServer } from './support/servers.ts'
import { until } from './support/until.ts'

/** What a newcomer does who only has the documents: every file is written and every command run as the pages have them. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-start-'))
const docs = join(packageRoot(), 'docs')
const chat = new TestServer()
let env: Record<string, string>
/** The newcomer's working folder; `cd` in a command changes it. */
let cwd = folder
let server: ChildProcess | undefined
let output = ''

/** A file that the page has the reader write, or commands to run. */
type Step = { readonly path: string; readonly text: string } | { readonly commands: readonly string[] }

/** The steps of a page: `sh` blocks, and blocks below the name of their file. Commands in blocks of four blanks too, if wanted. */
function stepsOf(page: string, { isIndented = false } = {}): Step[] {
  const text = readFileSync(join(docs, page), 'utf8')
  const pattern = /(?:^`([\w./-]+)`\n\n)?^```(\w+)\n([\s\S]*?)^```$|^ {4}(caracal .*)$/gm
  return [...text.matchAll(pattern)].flatMap(([, path, language, body, indented]): Step[] => {
    if (indented !== undefined) return isIndented ? [{ commands: [indented.replace(/ {2,}#.*/, '')] }] : []
    if (path !== undefined) return [{ path, text: body! }]
    expect([page, language]).toEqual([page, 'sh'])
    return [{ commands: body!.trim().split('\n') }]
  })
}

const ofPort = (text: string) => text.replaceAll('127.0.0.1:4848', env['CARACAL_LISTEN']!)

/** Runs a command in a shell, in the working folder, and resolves with what it printed. Does not block: Slack is in this process. */
async function run(command: string): Promise<string> {
  const at = join(folder, 'pwd')
  const script = `${ofPort(command)}\nstatus=$?\npwd >'${at}'\nexit $status`
  const child = spawn('sh', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text))
  child.stderr.on('data', (text: Buffer) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${command}\n${stdout}${stderr}\n${output}`)
  cwd = readFileSync(at, 'utf8').trim()
  return stdout
}

/** Starts the server as the page says, in place of the one that runs. */
async function up(command: string): Promise<void> {
  await down()
  output = ''
  server = spawn('sh', ['-c', `exec ${command}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [server.stdout!, server.stderr!]) stream.on('data', (text: Buffer) => (output += text))
  await until(async () => {
    if (server?.exitCode !== null) throw new Error(`the server ended:\n${output}`)
    return (await fetch(`http://${env['CARACAL_LISTEN']}/healthz`).catch(() => undefined))?.ok || undefined
  })
}

async function down(): Promise<void> {
  if (!server || server.exitCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGINT')
  expect((await ended)[0]).toBe(0)
}

/** `npm install --global` of the packed program, without a registry: its dependencies are those of this folder. */
function install(): void {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  const tarball = execFileSync('npm', args, { cwd: packageRoot(), encoding: 'utf8' }).trim()
  const program = join(folder, 'lib/node_modules/caracal')
  mkdirSync(program, { recursive: true })
  execFileSync('tar', ['xzf', join(folder, tarball), '-C', program, '--strip-components=1'])
  symlinkSync(join(packageRoot(), 'node_modules'), join(program, 'node_modules'))
  const { bin } = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8')) as { bin: { caracal: string } }
  mkdirSync(join(folder, 'bin'))
  chmodSync(join(program, bin.caracal), 0o755)
  symlinkSync(join(program, bin.caracal), join(folder, 'bin/caracal'))
}

beforeAll(async () => {
  await chat.listen()
  env = {
    PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: folder,
    XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache'),
    CARACAL_LISTEN: `127.0.0.1:${await freePort()}`,
    SLACK_WEBHOOK_URL: `${chat.url}/services/T0/B0/x`,
  }
  install()
}, 120_000)
afterAll(async () => {
  server?.kill('SIGKILL')
  await chat.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What a step shows that it worked, by the beginning of its command and how often that has run. */
const SHOWS: Readonly<Record<string, RegExp>> = {
  'caracal validate': /: 0 problems/,
  'caracal test': / 0 failed, 0 errors\n$/,
  'caracal query': /B-1002.*server room.*true[\s\S]*B-1003.*front.*false[\s\S]*B-1001/,
  'caracal run door.log': /^\{"rule_id":"Door\.ServerRoom".*"title":"The server room was opened by Eve".*\}\n$/,
  'caracal alerts --rule Door.ServerRoom': /The server room was opened by Eve/,
  'caracal alerts status': /^[0-9a-f]{8} is TRIAGED\.$/m,
  'caracal alerts resolve': /^[0-9a-f]{8} is RESOLVED /m,
  'caracal alerts --rule Door.ServerRoom --data-dir':
    /RESOLVED.*The server room was opened by Eve|The server room was opened by Eve.*RESOLVED/s,
}

async function follow(step: Step): Promise<void> {
  if ('path' in step) {
    mkdirSync(dirname(join(cwd, step.path)), { recursive: true })
    writeFileSync(join(cwd, step.path), step.text)
    return
  }
  for (const command of step.commands) {
    if (command.startsWith('npm ')) continue
    if (command.startsWith('caracal up')) {
      await up(command)
      continue
    }
    const [shown] = Object.keys(SHOWS)
      .filter((begin) => command.startsWith(begin))
      .sort((a, b) => b.length - a.length)
    // What was just sent is on disk; that the rule has seen it takes a moment.
    const isRead = /^caracal (?:alerts --rule|query)/.test(command)
    const attempt = async () => {
      const text = await run(command)
      return isRead && !SHOWS[shown!]!.test(text) ? undefined : text
    }
    const text = await until(attempt)
    if (shown !== undefined) expect([command, text]).toEqual([command, expect.stringMatching(SHOWS[shown]!)])
  }
}

// The second page goes on in the folder that the first one leaves.
describe('the pages in their order', { shuffle: false }, () => {
  test('docs/start.md leads from the installation to an alert in Slack and a restored backup', { timeout: 600_000 }, async () => {
    const steps = stepsOf('start.md')
    expect(steps[0]).toMatchObject({
      commands: [expect.stringMatching(/^npm pack/), expect.stringMatching(/^npm install .*\.tgz$/)],
    })
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
    expect(JSON.stringify(steps[0])).toContain(`caracal-${version}.tgz`)
    for (const step of steps) await follow(step)
    // The restored server has the alert, and the one before it sent it to Slack, once.
    const messages = chat.received.map(({ body }) => JSON.parse(body) as { text: string; blocks: { type: string }[] })
    // A run that takes minutes may also report that the tables of the shipped packs cannot be refreshed here.
    const alerts = messages.filter(({ blocks }) => !JSON.stringify(blocks).includes('(Caracal.'))
    expect(alerts.map(({ text, blocks }) => [text, blocks.map(({ type }) => type)])).toEqual([
      ['HIGH: The server room was opened by Eve', ['header', 'rich_text']],
    ])
    expect(readdirSync(join(cwd, 'backups/first'))).toContain('manifest.json')
  })

  /** Needs a clone of a repository of others. */
  const ELSEWHERE = /panther-analysis/

  test('every command and file of docs/rules.md works', { timeout: 600_000 }, async () => {
    const records = [1, 2, 3, 4, 5].map((n) => ({
      time: `2026-01-05T09:00:0${n}Z`,
      user: 'ada',
      address: '203.0.113.7',
      success: false,
    }))
    writeFileSync(join(cwd, 'sign-ins.log'), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
    const commands: string[] = []
    for (const step of stepsOf('rules.md', { isIndented: true })) {
      if ('path' in step) await follow(step)
      else commands.push(...step.commands.filter((command) => !ELSEWHERE.test(command)))
    }
    await run('caracal reload')
    const { versions } = JSON.parse(await run('caracal rules show My.ManyFailures --json')) as { versions: { number: number }[] }
    const code = join(cwd, 'content/rules/many_failures.py')
    const before = readFileSync(code, 'utf8')
    writeFileSync(code, `${before}\n# changed\n`)
    await run('caracal reload')
    expect(commands).toEqual(expect.arrayContaining(['caracal test', 'caracal rules']))
    for (const command of commands) {
      const text = await run(command.replace(/ 12$/, ` ${versions.at(-1)!.number}`))
      if (command.startsWith('caracal run')) expect(text.match(/My\.ManyFailures/g)).toHaveLength(5)
      if (command.startsWith('caracal explain')) expect(text).toContain('many_failures.py')
      if (command === 'caracal rules') expect(text).toContain('My.ManyFailures')
      if (command.endsWith('--diff')) expect(text).toContain('\n+# changed\n')
    }
    expect(readFileSync(code, 'utf8')).toBe(before)
  })
})
