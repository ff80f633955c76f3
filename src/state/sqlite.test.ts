import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryFile } from '../util/entry.ts'
import { StorageError, UnstorableText } from '../util/errors.ts'
import { bindable, lockDataDir, openSqlite } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-sqlite-'))
const compiled = entryFile('state/sqlite')

test.each([
  ['null', null, null],
  ['undefined as null', undefined, null],
  ['true as 1', true, 1],
  ['false as 0', false, 0],
  ['a number', -1.5, -1.5],
  ['a bigint within the safe integers', 9007199254740991n, 9007199254740991],
  ['an empty string', '', ''],
  ['a surrogate pair', '😀', '😀'],
  ['__proto__', '__proto__', '__proto__'],
])('%s can be bound', (_, value, bound) => {
  expect(bindable(value)).toBe(bound)
})

test.each([
  ['NaN', Number.NaN, /not a finite number/],
  ['infinity', Number.NEGATIVE_INFINITY, /not a finite number/],
  ['a bigint that would lose digits', 2n ** 53n, /outside the safe integers/],
  ['a date', new Date(0), /\[object Date\]/],
  ['an object', { a: 1 }, /\[object Object\]/],
  ['a list', [1], /\[object Array\]/],
  ['a function', () => 1, /\[object Function\]/],
  ['a symbol', Symbol('x'), /\[object Symbol\]/],
  ['an array buffer', new ArrayBuffer(2), /\[object ArrayBuffer\]/],
])('%s is refused', (_, value, message) => {
  expect(() => bindable(value)).toThrow(message)
  expect(() => bindable(value)).toThrow(TypeError)
})

test.each([
  ['a NUL, where the driver cuts', 'a\0b'],
  ['a lone surrogate', 'a\ud800'],
])('%s is refused as text that callers gave', (_, value) => {
  expect(() => bindable(value)).toThrow(UnstorableText)
})

test('values that crash the bare driver do not crash the process, thanks to the guard', () => {
  const script = `
    import { openSqlite } from ${JSON.stringify(compiled)}
    const db = openSqlite(${JSON.stringify(join(folder, 'guard.db'))})
    db.exec('CREATE TABLE t (a)')
    const insert = db.prepare('INSERT INTO t VALUES (?)')
    const answers = []
    for (const value of [true, false, new Date(0), { a: 1 }, [1], Symbol('s'), () => 1, NaN, 2n ** 60n, 'a\\0b', '\\ud800', new ArrayBuffer(1), Buffer.from('x'), new Uint8Array(3).subarray(1), null, undefined]) {
      try { insert.run([value]); answers.push('taken') } catch (error) { answers.push(error.name) }
    }
    console.log(JSON.stringify({ answers, rows: db.prepare('SELECT typeof(a) AS t FROM t').all([]).map((r) => r.t) }))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    answers: [
      ...['taken', 'taken', ...Array.from({ length: 7 }, () => 'TypeError')],
      ...['UnstorableText', 'UnstorableText', 'TypeError', 'taken', 'taken', 'taken', 'taken'],
    ],
    rows: ['real', 'real', 'blob', 'blob', 'null', 'null'],
  })
})

test('any bytes and texts are read back unchanged', () => {
  const db = openSqlite(join(folder, 'fidelity.db'))
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, b BLOB)')
  const insert = db.prepare('INSERT INTO t (s, b) VALUES (?, ?)')
  const read = db.prepare('SELECT s, b FROM t WHERE id = ?')
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('__proto__', '\u202e\x1b[2J', '\uffff\ufeff', 'x'.repeat(64 * 1024)),
  )
  fc.assert(
    fc.property(text, fc.uint8Array({ maxLength: 300 }), (s, b) => {
      fc.pre(!s.includes('\0') && s.isWellFormed())
      const { lastInsertRowid } = insert.run([s, b])
      const [row] = read.all([Number(lastInsertRowid)]) as { s: string; b: ArrayBuffer }[]
      expect(row!.s).toBe(s)
      expect(Buffer.from(row!.b).equals(Buffer.from(b))).toBe(true)
    }),
    { numRuns: 60, seed: 11 },
  )
  db.close()
})

/** A process that takes the lock, reports it, and waits. */
async function holder(dataDir: string) {
  const script = `
    import { lockDataDir } from ${JSON.stringify(compiled)}
    lockDataDir(${JSON.stringify(dataDir)})
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

test('the data folder belongs to one process, and is free as soon as that one is killed', async () => {
  const dataDir = join(folder, 'locked')
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const child = await holder(dataDir)
    expect(() => lockDataDir(dataDir)).toThrow(/in use by another Caracal process/)
    child.kill(signal)
    await once(child, 'exit')
    lockDataDir(dataDir)()
  }
  const release = lockDataDir(dataDir)
  expect(() => lockDataDir(dataDir)).toThrow(StorageError)
  release()
  lockDataDir(dataDir)()
})

test.each([
  ['a file where the data folder should be', 'file', /cannot be written/],
  ['a folder that nobody can make', '/proc/nobody/data', /cannot be written/],
  ['a folder where the lock should be', 'folder-lock', /cannot be locked/],
])('%s is distinguished from a folder in use', (_, name, message) => {
  const path = name.startsWith('/') ? name : join(folder, name)
  if (name === 'file') writeFileSync(path, 'x')
  if (name === 'folder-lock') mkdirSync(join(path, 'lock'), { recursive: true })
  expect(() => lockDataDir(path)).toThrow(message)
  expect(() => lockDataDir(path)).toThrow(StorageError)
})

test.skipIf(process.getuid?.() !== 0)('a folder that may only be read is refused', () => {
  const dataDir = mkdtempSync(join(folder, 'readonly-'))
  const script = `
    import { lockDataDir } from ${JSON.stringify(compiled)}
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    try { lockDataDir(${JSON.stringify(dataDir)}) } catch (error) { console.log(error.name + ': ' + error.message) }`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(stdout).toMatch(
    /^StorageError: The data folder .* cannot be written: permission denied: .*EACCES.*Give this user write access/,
  )
})

test.each([
  [
    'a file that is not a database',
    () => openSqlite(file('text.db', 'not a database, but longer than a header would be'.repeat(40))),
  ],
  ['a folder that is not there', () => openSqlite(join(folder, 'no', 'such.db'))],
  ['a file to read that is not there', () => openSqlite(join(folder, 'absent.db'), { readonly: true })],
])('%s is a storage error that names the file', (_, open) => {
  expect(open).toThrow(StorageError)
  expect(open).toThrow(folder)
})

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('a full disk is reported as such, and what did not fit is not stored', () => {
  const db = openSqlite(join(folder, 'full.db'), { maxPages: 20 })
  db.exec('CREATE TABLE t (b BLOB)')
  const insert = db.prepare('INSERT INTO t VALUES (?)')
  let taken = 0
  let fault: unknown
  while (!fault) {
    try {
      insert.run([new Uint8Array(10_000)])
      taken++
    } catch (error) {
      fault = error
    }
  }
  expect(fault).toBeInstanceOf(StorageError)
  expect(db.prepare('SELECT count(*) AS n FROM t').all([])).toEqual([{ n: taken }])
  db.exec('PRAGMA max_page_count = 1000')
  insert.run([new Uint8Array(10_000)])
  expect(db.prepare('SELECT count(*) AS n FROM t').all([])).toEqual([{ n: taken + 1 }])
  db.close()
})

test.each(['database or disk is full', 'database disk image is malformed', 'no transaction is active'])(
  'a failed statement that only mentions %s is not a disk failure, which would be retried',
  (words) => {
    const db = openSqlite(join(folder, 'words.db'))
    const prepare = () => db.prepare(`SELECT [${words}]`).all([])
    expect(prepare).toThrow(words)
    expect(prepare).not.toThrow(StorageError)
    db.close()
  },
)
