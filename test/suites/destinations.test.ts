import { describe, expect, test } from 'vitest'
import type { Destination, DestinationDeps } from '../../src/stages/deliver/destination.ts'
import { webhook } from '../../src/stages/deliver/webhook.ts'
import { Refused } from '../../src/util/errors.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { type AnyDestination, destinationSuite } from './destinations.ts'

testSuite(destinationSuite)

type Change = (inner: Destination, deps: DestinationDeps) => Partial<Destination> | Promise<Partial<Destination>>

/** A webhook with a fault. */
function faulty(change: Change): AnyDestination {
  const whole = webhook as unknown as AnyDestination
  return {
    ...whole,
    async create(config, deps) {
      const inner = await whole.create(config, deps)
      const own = { send: inner.send.bind(inner), close: inner.close.bind(inner) }
      return { ...own, ...(await change(own, deps)) }
    },
  }
}

describe('the suite fails a destination that', () => {
  test.each<[string, Change, string]>([
    [
      'ignores the signal',
      ({ send }) => ({ send: (one) => send(one, new AbortController().signal) }),
      'stops sending when the signal is aborted',
    ],
    [
      'cannot be closed twice',
      ({ close }) => {
        let isClosed = false
        return {
          async close() {
            if (isClosed) throw new Error('closed already')
            isClosed = true
            await close()
          },
        }
      },
      'may be closed twice',
    ],
    [
      'throws errors of its own',
      ({ send }) => ({
        send: (one, signal) =>
          send(one, signal).catch(() => {
            throw new Error('did not work')
          }),
      }),
      'reports every failure as RetryLater or Refused',
    ],
    [
      'takes a failure for success',
      ({ send }) => ({ send: (one, signal) => send(one, signal).catch(() => {}) }),
      'reports every failure as RetryLater or Refused',
    ],
    [
      'quotes its URL',
      ({ send }, { secret }) => ({
        send: (one, signal) =>
          send(one, signal).catch(() => {
            throw new Refused(`${secret({ env: 'URL' })} did not work`)
          }),
      }),
      'never puts a secret into an error',
    ],
    [
      'passes on what was answered, as a cause',
      (_, { send, secret }) => ({
        async send(_one, signal) {
          const answer = await send({ url: secret({ env: 'URL' }), signal, timeoutMs: 1000, maxBytes: 100_000 }).catch(
            () => undefined,
          )
          if (!answer || answer.status === 204) return answer ? undefined : Promise.reject(new Refused('no answer'))
          throw new Refused('it did not work', { cause: new Error(Buffer.from(answer.body).toString()) })
        },
      }),
      'never puts a secret into an error',
    ],
    [
      'calls the other side when it is made',
      async (_, { send, secret }) => {
        await send({ url: secret({ env: 'URL' }), timeoutMs: 1000, maxBytes: 0 })
        return {}
      },
      'is made without a word to the other side',
    ],
    [
      'sends every delivery under the same id',
      ({ send }) => ({ send: (one, signal) => send({ ...one, id: 'one' }, signal) }),
      'takes alerts of every kind, many at once, and says which delivery each is',
    ],
  ])('%s', async (_, change, name) => {
    expect(await failedBy(destinationSuite.behaviours, () => faulty(change))).toContain(name)
  })

  test('needs a secret and declares that it does not', async () => {
    const careless: AnyDestination = {
      ...(webhook as unknown as AnyDestination),
      create: (config, deps) => webhook.create({ ...(config as object), secret: undefined } as never, deps),
    }
    expect(await failedBy(destinationSuite.behaviours, () => careless)).toEqual([
      'cannot be created without one of its secrets, and says which',
    ])
  })
})

test('for a destination that the suite cannot use yet, the error says what to add', async () => {
  const unknown = { ...(webhook as unknown as AnyDestination), type: 'pager' }
  await expect(async () => destinationSuite.behaviours[0]!.check(unknown)).rejects.toThrow(
    /'pager' needs to the table `fittings`/,
  )
})
