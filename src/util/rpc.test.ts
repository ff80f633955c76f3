import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { RetryLater } from './errors.ts'
import { Rpc, Transfer } from './rpc.ts'

interface Sums {
  add: (numbers: { a: number; b: number }) => number
  bytes: (length: number) => Uint8Array
  total: (of?: string) => number
  fail: () => void
}

function pair() {
  const { port1, port2 } = new MessageChannel()
  return { asker: new Rpc<Sums>(port1), answerer: new Rpc<Record<never, never>, Sums>(port2), end: () => port1.close() }
}

const handlers = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  bytes: (length: number) => {
    const made = new Uint8Array(length).fill(7)
    return new Transfer(made, [made.buffer as ArrayBuffer])
  },
  total: async (of?: string) => (of === undefined ? 10 : 1),
  fail: () => {
    throw new RetryLater('full', 2000)
  },
}

test('calls are answered, buffers are transferred, and an error keeps its class and retry time', async () => {
  const { asker, answerer, end } = pair()
  answerer.serve(handlers)
  expect(await asker.call('add', { a: 1, b: 2 })).toBe(3)
  expect(await asker.call('bytes', 3)).toEqual(new Uint8Array([7, 7, 7]))
  expect([await asker.call('total'), await asker.call('total', 'x')]).toEqual([10, 1])
  await expect(asker.call('fail')).rejects.toMatchObject({ code: 'retry_later', afterMs: 2000, message: 'full' })
  const moved = new Uint8Array(4)
  await asker.move('add', { a: 1, b: 1 }, [moved.buffer])
  expect(moved.byteLength).toBe(0)
  end()
})

test('calls made before the other side serves wait for it', async () => {
  const { asker, answerer, end } = pair()
  const early = [asker.call('add', { a: 1, b: 2 }), asker.call('total')]
  await new Promise((resolve) => setImmediate(resolve))
  answerer.serve(handlers)
  expect(await Promise.all(early)).toEqual([3, 10])
  end()
})

test('a misspelt name, a wrong argument and a wrong answer do not compile', () => {
  const { asker, answerer, end } = pair()
  answerer.serve(handlers)
  const wrong = () => [
    // @ts-expect-error no such call
    asker.call('ad', { a: 1, b: 2 }),
    // @ts-expect-error an argument is missing
    asker.call('add', { a: 1 }),
    // @ts-expect-error the argument is missing
    asker.call('add'),
    // @ts-expect-error the argument is of another type
    asker.call('bytes', '3'),
    // @ts-expect-error it answers a number
    asker.call('total') satisfies Promise<string>,
    // @ts-expect-error a handler is missing
    new Rpc<Sums, Sums>(new MessageChannel().port1, { add: handlers.add }),
    // @ts-expect-error a handler answers with the wrong type
    answerer.serve({ ...handlers, total: () => 'ten' }),
  ]
  expect(wrong).toBeTypeOf('function')
  end()
})

test('after a failure, pending and later calls reject', async () => {
  const { asker, end } = pair()
  const call = asker.call('total')
  asker.fail(new Error('the thread has ended'))
  await expect(call).rejects.toThrow('the thread has ended')
  await expect(asker.call('total')).rejects.toThrow('the thread has ended')
  end()
})
