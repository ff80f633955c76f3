import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packageRoot } from '../util/entry.ts'
import { Refused } from '../util/errors.ts'
import { SideWork } from './side-work.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-side-work-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a call that takes too long is ended, and the next one has its turn', async () => {
  // Loops forever for 0, and returns any other number.
  writeFileSync(
    join(folder, 'thread.js'),
    "const { parentPort, workerData } = require('node:worker_threads')\nwhile (workerData === 0);\nparentPort.postMessage({ result: workerData })\n",
  )
  const entry = relative(join(packageRoot(), 'dist'), join(folder, 'thread'))
  const work = new SideWork<number, number>({ entry, name: 'test', makes: 'tests', maxMs: 2000 })
  const [endless, next] = await Promise.allSettled([work.run(async () => 0), work.run(async () => 7)])
  expect(endless).toMatchObject({ status: 'rejected', reason: expect.any(Refused) })
  expect((endless as PromiseRejectedResult).reason.message).toBe('it was ended after 2 s, the limit for tests')
  expect(next).toEqual({ status: 'fulfilled', value: 7 })
})
