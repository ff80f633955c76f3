import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { outgoingAlert } from '../../test/support/alerts.ts'
import type { DeliveryResult } from '../model/batch.ts'
import { SEVERITIES, type Severity } from '../model/rule.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { Refused, RetryLater, StorageError } from '../util/errors.ts'
import { Deliverer, type DelivererDeps, type DueDelivery, MAX_BUSY_MS, MAX_TRIES } from './deliverer.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

type Send = Destination['send']

const BODY = JSON.stringify({ version: 2, kind: 'opened', alert: outgoingAlert() })

/** An in-memory store with the semantics of the real one, and destinations by name. */
function world(
  sends: Readonly<Record<string, Send>>,
  part: Partial<DelivererDeps> & { failures?: number; onQueue?: (destination: string, except: readonly string[]) => void } = {},
) {
  let failures = part.failures ?? 0
  const queue = new Map<string, { delivery: DueDelivery; nextMs: number; state: string }>()
  const results: DeliveryResult[] = []
  const troubles: (string | undefined)[] = []
  const closed: string[] = []
  /** Destinations whose deliveries were read with their bodies. */
  const reads: string[] = []
  const add = (destination: string, n: number) => {
    for (let i = 0; i < n; i++) {
      const deliveryId = `${destination}${queue.size}`
      queue.set(deliveryId, {
        delivery: { deliveryId, alertId: 'a', destination, createdMs: Date.now(), tries: 0, body: BODY },
        nextMs: Date.now(),
        state: 'pending',
      })
    }
  }
  const isPending = ({ state }: { state: string }) => state === 'pending'
  const kindOf = (body: string) => /"kind":"(\w+)"/.exec(body)?.[1]
  const rankOf = ({ body }: DueDelivery) => SEVERITIES.indexOf(/"severity":"(\w+)"/.exec(body)?.[1] as Severity)
  const dueOf = (destination: string, nowMs: number, except: readonly string[]) =>
    [...queue.values()]
      .filter((entry) => isPending(entry) && entry.nextMs <= nowMs)
      .map(({ delivery }) => delivery)
      .filter((delivery) => delivery.destination === destination && !except.includes(delivery.deliveryId))
      .sort((a, b) => rankOf(b) - rankOf(a))
  const deps: DelivererDeps = {
    destinations: new Map(
      Object.entries(sends).map(([name, send]): [string, Destination] => [
        name,
        {
          send,
          close: async () => {
            closed.push(name)
          },
        },
      ]),
    ),
    queue: {
      destinations: async () =>
        [...new Set([...queue.values()].filter(isPending).map(({ delivery }) => delivery.destination))].sort(),
      count: async (destination, nowMs, limit, except) => Math.min(limit, dueOf(destination, nowMs, except).length),
      due: async (destination, nowMs, limit, except, kind) => {
        reads.push(destination)
        part.onQueue?.(destination, except)
        const isWanted = ({ body }: DueDelivery) =>
          kind === 'all' || /resolved|changed/.test(kindOf(body)!) === (kind === 'alone')
        return dueOf(destination, nowMs, except).filter(isWanted).slice(0, limit)
      },
    },
    reference: async () => undefined,
    progress: async () => undefined,
    save: async (saved) => {
      if (failures-- > 0) throw new Error('disk full')
      results.push(...saved)
      for (const result of saved) {
        const entry = queue.get(result.deliveryId)!
        entry.state = result.kind === 'again' ? 'pending' : result.kind
        entry.delivery = { ...entry.delivery, tries: result.tries }
        if (result.kind === 'again') entry.nextMs = result.nextMs
      }
    },
    now: Date.now,
    retryMinMs: 1000,
    retryMaxMs: 60_000,
    onResult: () => {},
    onTrouble: (message) => troubles.push(message),
    ...part,
  }
  return { deliverer: new Deliverer(deps), queue, results, troubles, closed, reads, add }
}

test('a delivery to a receiver that is down is attempted ten times, with the wait doubling up to its maximum, and is then dead', async () => {
  const at: number[] = []
  const { deliverer, results, add } = world({
    soc: async () => {
      at.push(Date.now())
      throw new RetryLater('down')
    },
  })
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(30 * 60_000)
  expect(at.length).toBe(MAX_TRIES)
  const waits = results.map((result) => (result.kind === 'again' ? result.nextMs - at[results.indexOf(result)]! : result.kind))
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000, 'dead'])
  for (const [i, wait] of waits.slice(0, -1).entries()) expect(at[i + 1]! - at[i]!).toBeGreaterThanOrEqual(wait as number)
  await deliverer.stop()
})

test.each([
  ['longer than the back-off', 30_000, 30_000],
  ['shorter than the back-off', 10, 1000],
  ['longer than the longest wait', 3_600_000, 3_600_000],
])('a receiver asks for a wait %s', async (_, asked, waits) => {
  const { deliverer, results, add } = world({ soc: () => Promise.reject(new RetryLater('busy', asked)) })
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(0)
  expect(results[0]).toMatchObject({ kind: 'again', nextMs: 1_000_000 + waits })
  await deliverer.stop()
})

test('a receiver that asks for a wait again and again does not use up the attempts', async () => {
  let sent = 0
  const { deliverer, queue, add } = world({
    soc: async () => {
      sent++
      if (sent <= 3 * MAX_TRIES) throw new RetryLater('busy', 5000)
      return undefined
    },
  })
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(2 * MAX_TRIES * 6000)
  expect([...queue.values()]).toMatchObject([{ state: 'pending', delivery: { tries: 0 } }])
  await vi.advanceTimersByTimeAsync(2 * MAX_TRIES * 6000)
  expect([...queue.values()][0]!.state).not.toBe('dead')
  expect(sent).toBe(3 * MAX_TRIES + 1)
  await deliverer.stop()
})

test('a receiver that asks for a wait all the time gets the delivery for a day, and then it is dead and says why', async () => {
  const at: number[] = []
  const { deliverer, results, add } = world({
    soc: async () => {
      at.push(Date.now())
      throw new RetryLater('busy', 3_600_000)
    },
  })
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(MAX_BUSY_MS + 3 * 3_600_000)
  expect(results.slice(0, -1).every(({ kind, tries }) => kind === 'again' && tries === 0)).toBe(true)
  expect(results.at(-1)).toMatchObject({ kind: 'dead', error: 'busy (abandoned: it still asked for a wait after 24 hours)' })
  expect(at.at(-1)! - at[0]!).toBeGreaterThanOrEqual(MAX_BUSY_MS)
  expect(at.length).toBeGreaterThan(MAX_TRIES)
  await deliverer.stop()
})

test('a refused delivery is dead immediately, and so is one to a destination that no longer exists', async () => {
  const { deliverer, queue, add } = world({ soc: () => Promise.reject(new Refused('401')) })
  add('soc', 1)
  add('gone', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(100)
  expect([...queue.values()].map(({ state, delivery }) => [state, delivery.tries])).toEqual([
    ['dead', 1],
    ['dead', 1],
  ])
  await deliverer.stop()
})

test('a process that may have been replaced sends nothing, uses up no attempt, and goes on when it is sure again', async () => {
  let isSure = false
  const sent: string[] = []
  const { deliverer, queue, troubles, add } = world(
    { soc: async ({ id }) => void sent.push(id) },
    {
      sure: async () => {
        if (!isSure) throw new StorageError('another node may be active')
      },
    },
  )
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(MAX_TRIES * 70_000)
  expect(sent).toEqual([])
  expect([...queue.values()]).toMatchObject([{ state: 'pending', delivery: { tries: 0 } }])
  expect(troubles.at(-1)).toBe('another node may be active')
  isSure = true
  await vi.advanceTimersByTimeAsync(5000)
  expect(sent).toEqual(['soc0'])
  expect(troubles.at(-1)).toBeUndefined()
  await deliverer.stop()
})

test('one that was replaced between reading a delivery and sending it does not send it', async () => {
  let asked = 0
  const sent: string[] = []
  const { deliverer, add } = world(
    { soc: async ({ id }) => void sent.push(id) },
    {
      sure: async () => {
        if (++asked % 2 === 0) throw new StorageError('another node is active')
      },
      save: async () => {
        throw new StorageError('another node is active')
      },
    },
  )
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(60_000)
  await deliverer.stop()
  expect([asked > 1, sent]).toEqual([true, []])
})

test('an unexpected error is retried as if the receiver were down', async () => {
  let tries = 0
  const { deliverer, queue, add } = world({
    soc: async () => {
      if (++tries === 1) throw new TypeError('a bug')
    },
  })
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(5000)
  expect([...queue.values()][0]).toMatchObject({ state: 'delivered' })
  await deliverer.stop()
})

test('a destination that hangs, with a long queue, does not block another', async () => {
  const { deliverer, queue, add } = world({ slow: () => new Promise(() => {}), quick: async () => {} })
  add('slow', 100)
  add('quick', 40)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(2000)
  const quick = [...queue.values()].filter(({ delivery }) => delivery.destination === 'quick')
  expect(quick.every(({ state }) => state === 'delivered')).toBe(true)
  const stopped = deliverer.stop(1000)
  await vi.advanceTimersByTimeAsync(3000)
  await stopped
})

test('a delivery never has two attempts in progress', async () => {
  const under = new Map<string, number>()
  let most = 0
  const { deliverer, add, results } = world({
    soc: async ({ id }) => {
      under.set(id, (under.get(id) ?? 0) + 1)
      most = Math.max(most, under.get(id)!)
      await new Promise((resolve) => setTimeout(resolve, 700))
      under.set(id, under.get(id)! - 1)
    },
  })
  add('soc', 60)
  deliverer.start()
  for (let i = 0; i < 40; i++) {
    deliverer.wake()
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(most).toBe(1)
  expect(results.length).toBe(60)
  await deliverer.stop()
})

test('a delivery whose result cannot be stored is not sent repeatedly', async () => {
  let sent = 0
  const { deliverer, add, troubles, results } = world(
    {
      soc: async () => {
        sent++
      },
    },
    { failures: 5 },
  )
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(sent).toBe(1)
  expect(troubles[0]).toMatch(/cannot be saved: disk full/)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(results).toMatchObject([{ kind: 'delivered', tries: 1 }])
  expect(troubles.at(-1)).toBeUndefined()
  await deliverer.stop()
})

test('an unreadable state is reported, and so is its recovery', async () => {
  let failures = 2
  const { deliverer, troubles } = world(
    {},
    {
      queue: {
        destinations: async () => {
          if (failures-- > 0) throw new Error('database is locked')
          return []
        },
        count: async () => 0,
        due: async () => [],
      },
    },
  )
  deliverer.start()
  await vi.advanceTimersByTimeAsync(3000)
  expect(troubles).toEqual(['Deliveries cannot be read: database is locked', undefined])
  await deliverer.stop()
})

test('stop lets an attempt finish within the grace time, and closes destinations once, however often it is called', async () => {
  const { deliverer, queue, closed, add } = world({ soc: () => new Promise((resolve) => setTimeout(resolve, 800)) })
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(10)
  const stopped = deliverer.stop(5000)
  await vi.advanceTimersByTimeAsync(900)
  await Promise.all([stopped, deliverer.stop()])
  await deliverer.stop()
  expect([...queue.values()][0]).toMatchObject({ state: 'delivered' })
  expect(closed).toEqual(['soc'])
})

test('stop aborts an attempt that takes longer, which is repeated after the next start, and begins no other', async () => {
  let sent = 0
  const { deliverer, queue, add } = world({
    soc: (_, signal) => {
      sent++
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new RetryLater('ended'))))
    },
  })
  add('soc', 1)
  deliverer.start()
  await vi.advanceTimersByTimeAsync(10)
  const stopped = deliverer.stop(1000)
  await vi.advanceTimersByTimeAsync(1000)
  await stopped
  add('soc', 1)
  deliverer.wake()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sent).toBe(1)
  expect([...queue.values()][0]).toMatchObject({ state: 'pending' })
})

test('a follow-up is sent with what the receiver called the alert, and what it calls it now is saved', async () => {
  const seen: unknown[] = []
  const body = JSON.stringify({ version: 2, kind: 'resolved', alert: outgoingAlert() })
  const { deliverer, results, queue, add } = world(
    {
      tickets: async ({ kind, reference }) => {
        seen.push([kind, reference])
        return kind === 'opened' ? 'SEC-1' : undefined
      },
    },
    { reference: async (alertId, destination) => `${alertId} at ${destination}` },
  )
  add('tickets', 2)
  const second = queue.get('tickets1')!
  second.delivery = { ...second.delivery, body }
  deliverer.start()
  await vi.advanceTimersByTimeAsync(100)
  expect(seen).toEqual([
    ['opened', undefined],
    ['resolved', 'a at tickets'],
  ])
  expect(results).toMatchObject([
    { kind: 'delivered', reference: 'SEC-1' },
    { kind: 'delivered', reference: undefined },
  ])
  await deliverer.stop()
})

describe('a destination with a rate', () => {
  const storm = (sends: Send, perMinute = 5) => world({ chat: sends }, { perMinute: new Map([['chat', perMinute]]) })
  const bodyOf = (kind: string, severity: Severity, ruleId = 'R') =>
    JSON.stringify({ version: 2, kind, alert: outgoingAlert({ severity, ruleId, name: '' }) })

  test('gets alerts one by one up to it, the most severe first, and the rest in one digest that counts them', async () => {
    const sent: { kind: string; severity: string; title: string; context: string }[] = []
    const { deliverer, add, queue, results } = storm(async ({ kind, alert }) => {
      sent.push({ kind, severity: alert.severity, title: alert.title, context: alert.context })
    })
    add('chat', 40)
    for (const [i, entry] of [...queue.values()].entries())
      entry.delivery = { ...entry.delivery, body: bodyOf('opened', i === 39 ? 'CRITICAL' : i % 2 ? 'LOW' : 'HIGH', `R${i % 2}`) }
    deliverer.start()
    await vi.advanceTimersByTimeAsync(100)
    expect(sent.map(({ kind, severity }) => `${kind} ${severity}`)).toEqual([
      'opened CRITICAL',
      'opened HIGH',
      'opened HIGH',
      'opened HIGH',
      'digest HIGH',
    ])
    expect(sent[4]!.title).toBe('36 alerts: 17 × R0, 19 × R1')
    expect((JSON.parse(sent[4]!.context) as { alerts: string[] }).alerts).toHaveLength(36)
    // Nothing is dropped: every delivery has an outcome, and those in the digest name it.
    expect(results).toHaveLength(40)
    expect(results.every(({ kind }) => kind === 'delivered')).toBe(true)
    const digests = results.map((result) => (result as { digestId?: string }).digestId)
    expect(digests.filter(Boolean)).toHaveLength(36)
    expect(new Set(digests.filter(Boolean)).size).toBe(1)
    await deliverer.stop()
  })

  test('collects for a minute after a digest, whatever comes', async () => {
    const at: [string, number][] = []
    const { deliverer, add, results } = storm(async ({ kind }) => void at.push([kind, Date.now() - 1_000_000]))
    add('chat', 100)
    deliverer.start()
    for (let minute = 0; minute < 3; minute++) {
      await vi.advanceTimersByTimeAsync(30_000)
      add('chat', 100)
      await vi.advanceTimersByTimeAsync(30_000)
    }
    expect(at.filter(([kind]) => kind === 'digest').map(([, ms]) => Math.round(ms / 60_000))).toEqual([0, 1, 2, 3])
    expect(at.length).toBeLessThanOrEqual(4 * 5)
    expect(results.length).toBe(400)
    await deliverer.stop()
  })

  test('never gets a resolved alert in a digest', async () => {
    const kinds: string[] = []
    const { deliverer, add, queue, results } = storm(async ({ kind }) => void kinds.push(kind), 2)
    add('chat', 6)
    for (const [i, entry] of [...queue.values()].entries())
      entry.delivery = { ...entry.delivery, body: bodyOf(i < 3 ? 'resolved' : 'opened', 'LOW') }
    deliverer.start()
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(results).toHaveLength(6)
    expect(kinds.filter((kind) => kind === 'resolved')).toHaveLength(3)
    await deliverer.stop()
  })

  test('gets a CRITICAL alert at once that waits behind more than a digest holds', async () => {
    const sent: string[] = []
    const { deliverer, add, queue } = storm(async ({ kind, alert }) => void sent.push(`${kind} ${alert.severity}`), 2)
    add('chat', 601)
    for (const [i, entry] of [...queue.values()].entries())
      entry.delivery = { ...entry.delivery, body: bodyOf('opened', i === 600 ? 'CRITICAL' : 'LOW') }
    deliverer.start()
    await vi.advanceTimersByTimeAsync(100)
    expect(sent).toEqual(['opened CRITICAL', 'digest LOW'])
    await deliverer.stop()
  })

  test('gets one digest after the other within its rate while more waits than one holds', async () => {
    const at: [string, number][] = []
    const { deliverer, add, results } = storm(async ({ kind }) => void at.push([kind, Date.now() - 1_000_000]))
    add('chat', 2000)
    deliverer.start()
    await vi.advanceTimersByTimeAsync(59_000)
    expect(results).toHaveLength(2000)
    expect(at.map(([kind]) => kind)).toEqual([...Array<string>(4).fill('opened'), ...Array<string>(4).fill('digest')])
    expect(at.filter(([kind]) => kind === 'digest').map(([, ms]) => Math.round(ms / 1000))).toEqual([0, 12, 24, 36])
    await deliverer.stop()
  })

  test('is not read while its rate does not allow anything', async () => {
    const { deliverer, add, reads } = storm(async () => {}, 2)
    add('chat', 2000)
    deliverer.start()
    await vi.advanceTimersByTimeAsync(100)
    const before = reads.length
    // Two a minute: the next message is allowed after 30 seconds.
    await vi.advanceTimersByTimeAsync(29_000)
    expect(before).toBeGreaterThan(0)
    expect(reads.length).toBe(before)
    await deliverer.stop()
  })

  test.each([
    ['only resolved alerts', 4, 0, 4],
    ['resolved alerts and a flood', 3, 30, 6],
  ])('of one message a minute gets %s', async (_, resolved, opened, withinMinutes) => {
    const at: [string, number][] = []
    const { deliverer, add, queue, results } = storm(
      async ({ kind }) => void at.push([kind, Math.round((Date.now() - 1_000_000) / 1000)]),
      1,
    )
    const more = (n: number, kind: string) => {
      add('chat', n)
      for (const entry of [...queue.values()].slice(-n)) entry.delivery = { ...entry.delivery, body: bodyOf(kind, 'LOW') }
    }
    more(resolved, 'resolved')
    deliverer.start()
    for (let minute = 0; minute < withinMinutes; minute++) {
      if (opened > 0) more(opened, 'opened')
      await vi.advanceTimersByTimeAsync(61_000)
    }
    expect(at.filter(([kind]) => kind === 'resolved')).toHaveLength(resolved)
    for (const [i, [, second]] of at.slice(1).entries()) expect(second - at[i]![1]).toBeGreaterThanOrEqual(59)
    if (opened > 0) expect(results.length).toBeGreaterThan(resolved + opened)
    await deliverer.stop()
  })

  test('gets the rest of a digest although one of its alerts cannot be read', async () => {
    const { deliverer, add, queue, results } = storm(async () => {}, 1)
    add('chat', 3)
    const second = queue.get('chat1')!
    second.delivery = { ...second.delivery, body: '{' }
    deliverer.start()
    await vi.advanceTimersByTimeAsync(100)
    expect([...queue.values()].map(({ state }) => state)).toEqual(['delivered', 'dead', 'delivered'])
    expect(results).toHaveLength(3)
    await deliverer.stop()
  })

  test('that refuses a digest gets its alerts one by one, within its rate, and none is given up for it', async () => {
    const kinds: string[] = []
    const { deliverer, add, queue, results } = storm(async ({ kind }) => {
      kinds.push(kind)
      if (kind === 'digest') throw new Refused('unknown shape')
    })
    add('chat', 40)
    deliverer.start()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(kinds.length).toBeLessThanOrEqual(2 * 5)
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(kinds.filter((kind) => kind === 'digest')).toHaveLength(1)
    expect([...queue.values()].map(({ state }) => state)).toEqual(Array<string>(40).fill('delivered'))
    expect(results.filter(({ kind }) => kind === 'again').length).toBe(36)
    await deliverer.stop()
  })

  test('that is down gets the digest again later, and its alerts die together, each with the reason', async () => {
    let tries = 0
    const { deliverer, add, queue } = storm(async () => {
      tries++
      throw new RetryLater('down')
    }, 1)
    add('chat', 3)
    deliverer.start()
    await vi.advanceTimersByTimeAsync(60 * 60_000)
    expect(tries).toBe(MAX_TRIES)
    expect([...queue.values()].map(({ state }) => state)).toEqual(['dead', 'dead', 'dead'])
    await deliverer.stop()
  })
})

test('the queue of a destination is read without the deliveries that are being sent to it, and not without those of others', async () => {
  const ends: (() => void)[] = []
  const hold = () => new Promise<void>((resolve) => void ends.push(resolve))
  const asked: [destination: string, except: readonly string[]][] = []
  const made = world(
    { slow: hold, other: hold },
    { onQueue: (destination, except) => asked.push([destination, [...except].sort()]) },
  )
  made.add('slow', 2)
  made.add('other', 1)
  made.deliverer.start()
  await vi.advanceTimersByTimeAsync(0)
  asked.length = 0
  made.add('slow', 1)
  made.deliverer.wake()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual(
    expect.arrayContaining([
      ['other', ['other2']],
      ['slow', ['slow0', 'slow1']],
    ]),
  )
  expect(asked.flatMap(([destination, except]) => except.filter((id) => !id.startsWith(destination)))).toEqual([])
  for (const end of ends) end()
  await made.deliverer.stop(0)
})
