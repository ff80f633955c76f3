import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryFile, packageRoot } from '../src/util/entry.ts'

// Files of the data folder with damage as disks and editors cause it: each leads to an error that names the file and says what to do.

const top = mkdtempSync(join(tmpdir(), 'caracal-broken-'))
const sound = join(top, 'sound')
afterAll(() => rmSync(top, { recursive: true, force: true }))

/** Runs a script in a separate process. */
function run(script: string) {
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
}

const FILES = ['state.db', 'spool.db'] as const
const modules = `
  import { openState } from ${JSON.stringify(entryFile('state/db'))}
  import { openSqlite } from ${JSON.stringify(entryFile('state/sqlite'))}
  import { Spool } from ${JSON.stringify(entryFile('pipeline/spool'))}`

beforeAll(() => {
  mkdirSync(sound)
  const made = run(`${modules}
    const state = await openState(${JSON.stringify(sound)})
    for (let i = 0; i < 500; i++)
      await state.insertInto('meta').values({ key: 'key ' + i, value: 'x'.repeat(1000) }).execute()
    const spool = new Spool(openSqlite(${JSON.stringify(join(sound, 'spool.db'))}))
    for (let i = 0; i < 500; i++)
      spool.append([{ sourceId: 's', decoding: 'lines', receivedMs: i, body: new Uint8Array(1000) }])
    await state.destroy()
    spool.close()`)
  expect(made.stderr).toBe('')
})

let copies = 0
/** A copy of the intact folder; `isClean` false: as after a crash. */
function copy(isClean: boolean): string {
  const folder = join(top, String(copies++))
  cpSync(sound, folder, { recursive: true })
  if (!isClean) for (const file of FILES) overwrite(join(folder, file), 60, Buffer.alloc(4))
  return folder
}

function overwrite(file: string, at: number, bytes: Uint8Array): void {
  const content = readFileSync(file)
  content.set(bytes.subarray(0, content.length - at), at)
  writeFileSync(file, content)
}

const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  'cut in half': (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2 / 4096) * 4096),
  'a header of garbage': (file) => overwrite(file, 0, Buffer.alloc(100, 0xa5)),
  'pages of garbage': (file) => overwrite(file, 8 * 4096, Buffer.alloc(16 * 4096, 0xa5)),
}

/** Opens both as the program does, and returns the outcome. */
function open(folder: string): unknown {
  const { stdout, stderr } = run(`${modules}
    const attempt = async (open) => { try { await open(); return 'opened' } catch (error) { return [error.code, error.message] } }
    console.log(JSON.stringify([
      await attempt(() => openState(${JSON.stringify(folder)})),
      await attempt(() => new Spool(openSqlite(${JSON.stringify(join(folder, 'spool.db'))}))),
    ]))`)
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

describe('after a crash', () => {
  test('intact files open', () => {
    expect(open(copy(false))).toEqual(['opened', 'opened'])
  })

  test.each(FILES.flatMap((file) => Object.keys(DAMAGES).map((damage) => ({ file, damage }))))(
    '$file: $damage',
    ({ file, damage }) => {
      const folder = copy(false)
      DAMAGES[damage]!(join(folder, file))
      const refused = [
        'storage',
        expect.stringMatching(new RegExp(`^The file ${join(folder, file)} is damaged \\(.+\\)\\. Stop Caracal`)),
      ]
      expect(open(folder)).toEqual(FILES.map((each) => (each === file ? refused : 'opened')))
    },
  )
})

test('files that were closed properly are not checked at the next start; after a start that ended badly they are', () => {
  const folder = copy(true)
  DAMAGES['pages of garbage']!(join(folder, 'spool.db'))
  const path = JSON.stringify(join(folder, 'spool.db'))
  // Opened although it is damaged, because it was not checked.
  expect(run(`${modules}\nopenSqlite(${path})\nprocess.kill(process.pid, 'SIGKILL')`).signal).toBe('SIGKILL')
  expect(open(folder)).toEqual(['opened', ['storage', expect.stringContaining('is damaged')]])
})

/** `caracal up` on a data folder that it cannot use. */
function up(folder: string, ...argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(packageRoot(), 'bin/caracal.js'), 'up', '--data-dir', folder, '--listen', '127.0.0.1:0', ...argv],
    { encoding: 'utf8', cwd: top, timeout: 120_000 },
  )
  expect(`${stdout}${stderr}`).not.toContain('should not have happened')
  return { status, stderr }
}

describe('caracal up', () => {
  test.each(FILES)('%s: says that it is damaged and what to do, and ends with 1', (file) => {
    const folder = copy(false)
    DAMAGES['pages of garbage']!(join(folder, file))
    const { status, stderr } = up(folder)
    expect(stderr).toContain(`caracal: The file ${join(folder, file)} is damaged (`)
    expect(status).toBe(1)
  })

  test.each([
    { name: 'empty', text: '\n', says: 'the token is empty. Write the token that senders use into it, or remove it' },
    { name: 'of several lines', text: 'a b\nc\n', says: 'the token is not one line of up to 1,000 visible ASCII characters' },
  ])('a token that is $name', ({ text, says }) => {
    const folder = copy(true)
    writeFileSync(join(folder, 'token'), text)
    const { status, stderr } = up(folder)
    expect(stderr).toContain(`${join(folder, 'token')}: ${says}`)
    expect(status).toBe(2)
  })

  test('a token that cannot be read', () => {
    const folder = copy(true)
    // A folder, since files are readable to the superuser whatever their mode.
    mkdirSync(join(folder, 'token'))
    chmodSync(join(folder, 'token'), 0o000)
    const { status, stderr } = up(folder)
    expect(stderr).toContain(`caracal: The token ${join(folder, 'token')} cannot be read: `)
    expect(status).toBe(1)
  })

  test.each([
    {
      name: 'aliases that expand to billions',
      text: `a: &a [x, x]\n${Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [*a${i === 0 ? '' : i - 1}, *a${i === 0 ? '' : i - 1}]`).join('\n')}\n`,
      says: 'its aliases expand to too much',
    },
    { name: 'lists in lists without end', text: `content: ${'['.repeat(20_000)}`, says: 'caracal.yml' },
  ])('a configuration of $name', ({ text, says }) => {
    const folder = copy(true)
    const file = join(folder, 'caracal.yml')
    writeFileSync(file, text)
    const { status, stderr } = up(folder, '--config', file)
    expect(stderr).toContain(`caracal: ${file}`)
    expect(stderr).toContain(says)
    expect(status).toBe(2)
  })
})
