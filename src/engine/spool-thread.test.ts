import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { Spool } from '../pipeline/spool.ts'
import { openSqlite } from '../state/sqlite.ts'
import { entryFile } from '../util/entry.ts'
import { CaracalError } from '../util/errors.ts'
import { Rpc } from '../util/rpc.ts'
import type { SpoolCalls } from './spool-calls.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-spool-thread-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A spool thread, and the contents of its spool once the thread has ended. */
function start(name: string, more: object = {}) {
  const dataDir = mkdtempSync(join(folder, name))
  const { port1, port2 } = new MessageChannel()
  const data = { dataDir, maxBytes: 1e9, maxSourceBytes: 1e9, pipeline: port1, ...more }
  const worker = new Worker(entryFile('engine/spool-thread'), { workerData: data, transferList: [port1] })
  const rpc = new Rpc<SpoolCalls>(worker)
  port2.unref()
  const append = (text: string) =>
    rpc.call('append', { sourceId: 's', decoding: 'lines', receivedMs: 1, body: Buffer.from(text) })
  /** Ends the thread without warning. */
  const kept = async (): Promise<string[]> => {
    await worker.terminate()
    const spool = new Spool(openSqlite(join(dataDir, 'spool.db')))
    const texts = spool.read('s', 0, 1e6).map(({ body }) => Buffer.from(body).toString())
    spool.close()
    return texts
  }
  return { append, kept }
}

test('what is acknowledged is on disk even if the thread is killed immediately', async () => {
  const { append, kept } = start('ended')
  const acknowledged: string[] = []
  const appending = Array.from({ length: 50 }, async (_, i) => {
    await append(`body ${i}`)
    acknowledged.push(`body ${i}`)
  })
  await Promise.race(appending)
  const texts = await kept()
  for (const text of acknowledged) expect(texts).toContain(text)
})

test('what cannot be written to disk is refused, never acknowledged', async () => {
  const { append, kept } = start('full', { maxPages: 60 })
  const acknowledged: string[] = []
  const refused: CaracalError[] = []
  for (let round = 0; round < 8; round++) {
    const bodies = Array.from({ length: 4 }, (_, i) => `${round}/${i} ${'x'.repeat(9000)}`)
    await Promise.all(
      bodies.map((text) =>
        append(text).then(
          () => acknowledged.push(text),
          (error: CaracalError) => refused.push(error),
        ),
      ),
    )
  }
  expect(acknowledged.length).toBeGreaterThan(3)
  expect(refused.length).toBeGreaterThan(3)
  for (const error of refused) expect([error instanceof CaracalError, error.code]).toEqual([true, 'storage'])
  expect((await kept()).sort()).toEqual(acknowledged.sort())
})

test.each([
  ['a source has its share', { maxSourceBytes: 10 }, 'retry_later'],
  ['all sources together have too much', { maxBytes: 10 }, 'storage'],
])('when %s, more is refused', async (_, limits, code) => {
  const { append, kept } = start('limited', limits)
  await append('x'.repeat(10))
  await expect(append('y')).rejects.toMatchObject({ code })
  expect(await kept()).toEqual(['x'.repeat(10)])
})
