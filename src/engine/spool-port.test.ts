import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { Rpc } from '../util/rpc.ts'
import type { SpoolNews, SpoolReads } from './spool-calls.ts'
import { connectSpool } from './spool-port.ts'

const bodiesOf = (text: string) => ({
  rows: [{ id: 1, decoding: 'lines', receivedMs: 1, body: Uint8Array.from(Buffer.from(text)) }],
})
const range = { epoch: 'e', from: 1, to: 1, receivedMs: 1 }

/** Both ends of a port, with a spool that counts how often it is asked for the next bodies. */
function connected() {
  const { port1, port2 } = new MessageChannel()
  const asked: string[] = []
  const waiting = new Set<string>()
  const clock = { ms: 0 }
  const read: string[] = []
  let hasBodies = true
  let fails = false
  /** Called while the spool answers. */
  let meanwhile = () => {}
  const spool = new Rpc<SpoolNews, SpoolReads>(port2, {
    next: ({ sourceId }) => {
      asked.push(sourceId)
      if (fails) throw new Error('cannot be read')
      const found = waiting.has(sourceId) ? { range, bodies: hasBodies ? bodiesOf(sourceId) : undefined } : undefined
      meanwhile()
      return found
    },
    read: ({ sourceId }) => {
      read.push(sourceId)
      return bodiesOf(sourceId)
    },
    free: () => {},
  })
  const heard: string[] = []
  const port = connectSpool(
    port1,
    (sourceId) => heard.push(sourceId),
    () => clock.ms,
  )
  return {
    port,
    asked,
    read,
    heard,
    clock,
    setHasBodies: (value: boolean) => {
      hasBodies = value
    },
    news: async (sourceId: string) => {
      waiting.add(sourceId)
      await spool.call('spooled', sourceId)
    },
    setFails: (value: boolean) => {
      fails = value
    },
    setMeanwhile: (work: () => void) => {
      meanwhile = work
    },
    close: () => port1.close(),
  }
}

test('a source that had nothing is asked again once there is news of it, and not because of others', async () => {
  const { port, asked, heard, news, close } = connected()
  for (const sourceId of ['a', 'b', 'a', 'b']) expect(await port.next(sourceId, undefined)).toBeUndefined()
  expect(asked).toEqual(['a', 'b'])
  await news('a')
  expect(heard).toEqual(['a'])
  expect(await port.next('b', undefined)).toBeUndefined()
  expect(await port.next('a', undefined)).toEqual(range)
  expect(await port.next('a', undefined)).toEqual(range)
  expect(asked).toEqual(['a', 'b', 'a', 'a'])
  close()
})

test('news that arrives while the spool answers is not missed', async () => {
  const { port, news, setMeanwhile, close } = connected()
  let sent: Promise<void> | undefined
  setMeanwhile(() => {
    sent ??= news('a')
  })
  expect(await port.next('a', undefined)).toBeUndefined()
  await sent
  expect(await port.next('a', undefined)).toEqual(range)
  close()
})

test('a spool that could not be read is asked again, and so is one without news after a while', async () => {
  const { port, asked, clock, setFails, close } = connected()
  setFails(true)
  await expect(port.next('a', undefined)).rejects.toThrow('cannot be read')
  setFails(false)
  for (let i = 0; i < 2; i++) expect(await port.next('a', undefined)).toBeUndefined()
  expect(asked.length).toBe(2)
  clock.ms += 1000
  await port.next('a', undefined)
  expect(asked.length).toBe(3)
  close()
})

test('bodies come with the answer that they are there, and are asked for only if they are others', async () => {
  const { port, read, news, setHasBodies, close } = connected()
  for (const sourceId of ['a', 'b']) await news(sourceId)
  await port.next('a', undefined)
  expect(await port.read('a', range)).toEqual(bodiesOf('a'))
  expect(read).toEqual([])
  // Again after a failure; of an earlier batch; of another source; none came with the answer.
  expect(await port.read('a', range)).toEqual(bodiesOf('a'))
  await port.next('a', undefined)
  await port.read('a', { ...range, to: 2 })
  await port.next('a', undefined)
  expect(await port.read('b', range)).toEqual(bodiesOf('b'))
  setHasBodies(false)
  await port.next('a', undefined)
  expect(await port.read('a', range)).toEqual(bodiesOf('a'))
  expect(read).toEqual(['a', 'a', 'b', 'a'])
  close()
})
