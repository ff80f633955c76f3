import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { StorageError } from '../../util/errors.ts'
import { addBacktest, removeOtherBacktests } from './backtest-files.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-backtest-files-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const ask = { fromMs: 0, toMs: 1, by: 'event', asOfMs: undefined, maxEvents: 1, maxMs: 1 } as const
const BIG = { 'big.yml': '#'.repeat(100_000) }
const never = () => Promise.reject(new Error('must not be queued'))

test.each([
  ['a name that is too long', { ...BIG, [`${'a'.repeat(300)}.yml`]: '' }],
  ['a file that is also a folder', { ...BIG, 'a.yml': '', 'a.yml/b.yml': '' }],
  ['a folder that is also a file', { ...BIG, 'a.yml/b.yml': '', 'a.yml': '' }],
])('nothing is left of a backtest with %s, on either side', async (_, texts) => {
  const dataDir = mkdtempSync(join(top, 'data-'))
  for (const sides of [
    { after: texts, before: undefined },
    { after: BIG, before: texts },
  ])
    await expect(addBacktest({ ...ask, ...sides }, dataDir, never)).rejects.toThrow(StorageError)
  expect(readdirSync(join(dataDir, 'backtests'))).toEqual([])
})

test('a start removes what a crash has left, and keeps what a backtest still needs', async () => {
  const dataDir = mkdtempSync(join(top, 'data-'))
  for (const name of ['needed', 'left']) mkdirSync(join(dataDir, 'backtests', name, 'rules'), { recursive: true })
  await removeOtherBacktests(dataDir, ['needed', undefined])
  expect(readdirSync(join(dataDir, 'backtests'))).toEqual(['needed'])
  expect(existsSync(join(dataDir, 'backtests/needed/rules'))).toBe(true)
})
