import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqlite } from '../../state/sqlite.ts'
import { type ClockDeps, clockExamination } from './clock.ts'
import { databaseExamination } from './databases.ts'
import { diskExamination } from './disk.ts'
import { folderExamination } from './folder.ts'
import { nodeExamination } from './node.ts'
import { openFilesExamination } from './open-files.ts'
import { portsExamination } from './ports.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const userId = process.getuid!()
const GIB = 1024 ** 3

test.each([
  ['18.20.1', 'failed'],
  ['20.18.9', 'failed'],
  ['20.19.0', 'warning'],
  ['21.7.0', 'warning'],
  ['22.0.0', 'ok'],
  ['26.1.0', 'ok'],
])('Node %s: %s', async (version, state) => {
  expect((await nodeExamination(version).run()).state).toBe(state)
})

test.each([
  [undefined, 'skipped'],
  [256, 'failed'],
  [1024, 'warning'],
  [8192, 'ok'],
  ['unlimited', 'ok'],
] as const)('a limit of %s open files: %s', async (limit, state) => {
  expect((await openFilesExamination(limit).run()).state).toBe(state)
})

test.each([
  [{ free: 50, of: 100, files: 1000, ffree: 500 }, 'ok', '50.0 GiB free of 100.0 GiB'],
  [{ free: 4.9, of: 100, files: 1000, ffree: 500 }, 'warning', 'below 5.0 GiB it is low'],
  [{ free: 0.1, of: 100, files: 1000, ffree: 500 }, 'failed', '102 MiB free of 100.0 GiB; at least 256 MiB are needed'],
  [{ free: 50, of: 100, files: 1000, ffree: 9 }, 'warning', 'only 9 of 1000 files (inodes) are left'],
  [{ free: 50, of: 100, files: 0, ffree: 0 }, 'ok', ''],
])('a disk with %j: %s', async ({ free, of, files, ffree }, state, text) => {
  const space = async () => ({ bsize: 1024, blocks: (of * GIB) / 1024, bavail: Math.floor((free * GIB) / 1024), files, ffree })
  const finding = await diskExamination(join(folder, 'not/there'), space).run()
  expect(finding).toMatchObject({ state, message: expect.stringContaining(text) })
})

describe('the clock', () => {
  const nowMs = Date.parse('2026-03-01T00:00:00Z')
  test.each<[string, Partial<ClockDeps>, string]>([
    ['is synchronised', { isSynchronised: async () => true }, 'ok'],
    ['may be', { isSynchronised: async () => undefined }, 'ok'],
    ['is not', { isSynchronised: async () => false }, 'warning'],
    ['is before the last start', { pastMs: [0, nowMs + 120_000], isSynchronised: async () => true }, 'failed'],
    ['is behind a network drive a little', { pastMs: [nowMs + 5000], isSynchronised: async () => true }, 'ok'],
  ])('%s', async (_, deps, state) => {
    const all = { nowMs, pastMs: [nowMs - 1000], isSynchronised: async () => true, ...deps }
    expect((await clockExamination(all).run()).state).toBe(state)
  })
})

describe('the data folder', () => {
  const dir = () => join(folder, 'data')
  const make = (mode: number, token?: number) => {
    mkdirSync(dir())
    if (token !== undefined) {
      writeFileSync(join(dir(), 'token'), 'x')
      chmodSync(join(dir(), 'token'), token)
    }
    chmodSync(dir(), mode)
  }
  test.each<[string, () => void, string, RegExp]>([
    ['does not exist yet', () => {}, 'ok', /the first start creates it/],
    ['is closed to others', () => make(0o700, 0o600), 'ok', /closed to others/],
    ['can be read by others', () => make(0o755), 'warning', /which contains your logs/],
    ['has an open token', () => make(0o700, 0o644), 'failed', /can read .*token/],
    ['is a file', () => writeFileSync(dir(), ''), 'failed', /is not a folder/],
  ])('%s', async (_, prepare, state, text) => {
    prepare()
    const finding = await folderExamination(dir(), userId).run()
    expect(finding).toMatchObject({ state, message: expect.stringMatching(text) })
  })

  test('has files of another user', async () => {
    make(0o700, 0o600)
    const finding = await folderExamination(dir(), userId + 1).run()
    expect(finding).toMatchObject({ state: 'failed', message: expect.stringMatching(/this user does not own: \., token$/) })
  })
})

describe('a database', () => {
  test('that is missing, intact or damaged', async () => {
    const finding = () => databaseExamination(folder, 'state').run()
    expect(await finding()).toMatchObject({ state: 'skipped' })
    const file = join(folder, 'state.db')
    const db = openSqlite(file)
    db.exec('CREATE TABLE t (x TEXT)')
    const insert = db.prepare('INSERT INTO t VALUES (?)')
    for (let i = 0; i < 500; i++) insert.run([`row ${i} `.repeat(20)])
    expect(await finding()).toMatchObject({ state: 'ok' })
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()
    const { openSync, writeSync, closeSync } = await import('node:fs')
    const handle = openSync(file, 'r+')
    writeSync(handle, Buffer.alloc(4096, 0x55), 0, 4096, 4096 * 3)
    closeSync(handle)
    expect(await finding()).toMatchObject({ state: 'failed', advice: expect.stringContaining('backup') })
  })
})

describe('ports', () => {
  const sources = [{ type: 'syslog', id: 'net', listen: '127.0.0.1:0', transports: ['udp', 'tcp'] }] as never

  test('that are free, taken, or of Caracal itself', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as { port: number }
    const listen = `127.0.0.1:${port}`
    const finding = (isRunning: boolean) => portsExamination({ listen, sources }, isRunning).run()
    expect(await finding(false)).toMatchObject({
      state: 'failed',
      message: `${listen} of \`listen\`: another program has it`,
    })
    expect(await finding(true)).toMatchObject({ state: 'ok' })
    await new Promise((resolve) => server.close(resolve))
    expect(await finding(false)).toEqual({ state: 'ok', message: `${listen}, 127.0.0.1:0, 127.0.0.1:0 (UDP): free` })
  })

  test('of an address that this machine does not have', async () => {
    const finding = await portsExamination({ listen: '203.0.113.9:4848', sources: [] }, false).run()
    expect(finding.message).toContain('this machine does not have that address')
  })
})
