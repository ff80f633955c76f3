import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RESPONSES } from '../../../../test/support/service-answers.ts'
import { addresses, HOUR, MINUTE, ServiceWorld, TABLE } from '../../../../test/support/service-world.ts'
import { answersPath } from './paths.ts'

let world: ServiceWorld
beforeEach(async () => {
  world = await new ServiceWorld().open()
})
afterEach(() => world.close())

/** Starts again with other keys of the provider. */
async function configure(config: object): Promise<void> {
  world.config = config
  await world.askers.update([world.definition])
}

test('10,000 addresses at 60 a minute: never more within a minute, each asked for once, all answered', async () => {
  await configure({ per_day: 20_000 })
  const all = addresses(10_000)
  const isBad = (address: string) => address.endsWith('.7')
  world.isBad = isBad
  world.missed(...all)
  while (world.status.waiting > 0) await world.advance(MINUTE)
  expect(world.asked.map(({ address }) => address).sort()).toEqual([...all].sort())
  const times = world.asked.map(({ ms }) => ms)
  for (let i = 60; i < times.length; i++) expect(times[i]! - times[i - 60]!).toBeGreaterThanOrEqual(MINUTE)
  expect(times.at(-1)! - times[0]!).toBeLessThanOrEqual(167 * MINUTE)
  expect((await world.rows()).map(({ ip }) => ip).sort()).toEqual(all.filter(isBad).sort())
  expect(world.status).toMatchObject({ answers: 10_000, askedToday: 10_000, passedOver: 0, breaker: 'closed' })
}, 180_000)

test('the budget of a day holds over restarts, however the process ended, and the next day has its own', async () => {
  await configure({ per_day: 25 })
  world.missed(...addresses(10))
  await world.advance(MINUTE)
  // Nothing is stopped: as after kill -9, in the middle of a line.
  appendFileSync(answersPath(world.folder, TABLE), '{"asked":17')
  const killed = world.askers
  await world.start()
  world.missed(...addresses(30))
  await world.advance(5 * MINUTE)
  expect(world.asked).toHaveLength(25)
  expect(new Set(world.asked.map(({ address }) => address)).size).toBe(25)
  expect(world.status).toMatchObject({ askedToday: 25, leftToday: 0, waiting: 5, answers: 25 })
  await world.advance(14 * HOUR)
  expect(world.asked).toHaveLength(30)
  expect(new Date(world.asked.at(-5)!.ms).toISOString()).toContain('2026-11-30T00:0')
  expect(world.status).toMatchObject({ askedToday: 5, leftToday: 20, waiting: 0 })
  await killed.stop()
})

test('the limit of a minute holds over a restart', async () => {
  await configure({ per_minute: 5 })
  world.missed(...addresses(5))
  await world.advance(1000)
  const killed = world.askers
  await world.start()
  await world.askers.stop()
  await world.start()
  world.missed(...addresses(10))
  await world.advance(58_000)
  expect(world.asked).toHaveLength(5)
  await world.advance(1000)
  expect(world.asked).toHaveLength(10)
  await killed.stop()
})

test('an answer counts for its time: a row is removed when it is over, and the address is asked for again when it occurs', async () => {
  await configure({ ttl_hours: 10, negative_ttl_hours: 2 })
  world.isBad = (address) => address === '45.0.0.1'
  const both = ['45.0.0.0', '45.0.0.1']
  world.missed(...both)
  await world.advance(HOUR)
  expect(world.refreshes).toBe(1)
  expect(await world.rows()).toMatchObject([{ ip: '45.0.0.1', abuse_confidence_score: 100, total_reports: 41 }])
  world.missed(...both)
  await world.advance(HOUR)
  expect(world.asked).toHaveLength(2)
  world.missed(...both)
  await world.advance(HOUR)
  expect(world.asked.map(({ address }) => address)).toEqual(['45.0.0.1', '45.0.0.0', '45.0.0.0'])
  expect(world.refreshes).toBe(1)
  await world.advance(7 * HOUR + MINUTE)
  await world.advance(1000)
  expect(await world.rows()).toEqual([])
  expect(world.refreshes).toBe(2)
  expect(world.asked).toHaveLength(3)
})

test('a restart keeps the answers; those that expired meanwhile are gone', async () => {
  await configure({ ttl_hours: 10 })
  world.missed('45.0.0.1')
  await world.advance(5 * HOUR)
  world.missed('45.0.0.2')
  await world.advance(MINUTE)
  await world.askers.stop()
  await world.manual.advance(6 * HOUR)
  await world.start()
  expect((await world.rows()).map(({ ip }) => ip)).toEqual(['45.0.0.2'])
  expect(world.status).toMatchObject({ answers: 1, askedToday: 2 })
})

test('addresses that wait are stored, since they may never occur again', async () => {
  world.secret = undefined
  world.missed(...addresses(3))
  await world.advance(10_000)
  const killed = world.askers
  world.secret = 's3cr3t'
  await world.start()
  await world.advance(MINUTE)
  expect(world.asked.map(({ address }) => address).sort()).toEqual(addresses(3))
  await killed.stop()
})

test('at most max_waiting addresses wait; the others are counted', async () => {
  await configure({ max_waiting: 10, per_minute: 1 })
  world.missed(...addresses(25))
  world.askers.missed([{ table: TABLE, addresses: [], passedOver: 7 }])
  expect(world.status).toMatchObject({ waiting: 10, passedOver: 22 })
})

test('addresses that keep occurring are asked for first, then the newest', async () => {
  await configure({ per_minute: 1 })
  world.missed('45.0.0.9')
  await world.advance(1000)
  for (const address of ['45.0.0.1', '45.0.0.2', '45.0.0.3', '45.0.0.1']) world.missed(address)
  for (let i = 0; i < 3; i++) await world.advance(MINUTE)
  expect(world.asked.map(({ address }) => address)).toEqual(['45.0.0.9', '45.0.0.1', '45.0.0.3', '45.0.0.2'])
})

test('after 429, no request is sent until the time that Retry-After names', async () => {
  world.instead = () => ({ ...RESPONSES['abuseipdb']!.tooMany, headers: { 'retry-after': '1800' } })
  world.missed('45.0.0.1')
  await world.advance(MINUTE)
  expect(world.status).toMatchObject({ breaker: 'open', waiting: 1 })
  expect(world.status.lastError).toMatch(/answered 429/)
  world.instead = () => undefined
  world.missed('45.0.0.2')
  await world.advance(28 * MINUTE)
  expect(world.asked).toHaveLength(1)
  await world.advance(MINUTE + 1000)
  expect(world.asked).toHaveLength(3)
  expect(world.status).toMatchObject({ breaker: 'closed', waiting: 0, lastError: undefined })
})

test.each([
  ['errors of the server', { status: 503, body: '' }],
  ['pages that are not answers', { status: 200, body: '<html>' }],
])('after five %s in a row, one request a minute later shows whether it works again', async (_, response) => {
  world.instead = () => response
  world.missed(...addresses(40))
  await world.advance(59_000)
  const tried = world.asked.length
  // Up to three more were under way.
  expect(tried).toBeGreaterThanOrEqual(5)
  expect(tried).toBeLessThanOrEqual(8)
  expect(world.status.breaker).toBe('open')
  await world.advance(1000)
  expect(world.asked).toHaveLength(tried + 1)
  await world.advance(MINUTE)
  expect(world.asked).toHaveLength(tried + 1)
  world.instead = () => undefined
  await world.advance(MINUTE)
  expect(world.status).toMatchObject({ breaker: 'closed', waiting: 0, lastError: undefined })
  expect(await world.rows()).toHaveLength(40)
})

test('an address whose requests always fail is given up, and does not hold up the others', async () => {
  world.instead = (_, address) => (address === '45.0.0.3' ? { status: 500, body: '' } : undefined)
  world.missed(...addresses(20))
  await world.advance(5 * MINUTE)
  expect(world.asked.filter(({ address }) => address === '45.0.0.3')).toHaveLength(3)
  expect(world.status).toMatchObject({ waiting: 0, passedOver: 1 })
  expect(await world.rows()).toHaveLength(19)
})

test('an outage of a day loses no address', async () => {
  world.instead = () => ({ status: 502, body: '' })
  world.missed(...addresses(3))
  await world.advance(20 * HOUR)
  expect(world.status).toMatchObject({ waiting: 3, passedOver: 0, breaker: 'open' })
  world.instead = () => undefined
  await world.advance(HOUR)
  await world.advance(MINUTE)
  expect(await world.rows()).toHaveLength(3)
})

test('a refused key stops all requests for an hour, or until a refresh is requested', async () => {
  world.instead = () => RESPONSES['abuseipdb']!.keyRefused
  await configure({ per_minute: 1 })
  world.missed(...addresses(3))
  await world.advance(59 * MINUTE)
  expect(world.asked).toHaveLength(1)
  expect(world.status).toMatchObject({ isKeyRefused: true, breaker: 'open', waiting: 3 })
  expect(world.status.lastError).toMatch(/does not accept the key \(status 401\)/)
  world.instead = () => undefined
  world.askers.retry(TABLE)
  await world.advance(MINUTE)
  expect(world.status).toMatchObject({ isKeyRefused: false, waiting: 1, lastError: undefined })
})

test('without its key, nothing is sent or counted, and the message says what to add', async () => {
  world.secret = undefined
  world.missed('45.0.0.1')
  await world.advance(MINUTE)
  expect(world.asked).toEqual([])
  expect(world.status).toMatchObject({ isKeyRefused: true, askedToday: 0, lastError: "table needs the key 'abuseipdb'" })
  world.secret = 's3cr3t'
  await world.advance(HOUR)
  expect(world.asked).toHaveLength(1)
  expect(world.server.received.map(({ headers }) => headers['key'])).toEqual(['s3cr3t'])
})

test('a service that takes many addresses gets them in one request, within the limits', async () => {
  world.service = 'greynoise'
  await configure({ per_minute: 100, per_day: 150 })
  world.missed(...addresses(400), '2a02:4780::4')
  await world.advance(1000)
  expect(world.server.received).toHaveLength(1)
  await world.advance(10 * MINUTE)
  expect(world.server.received).toHaveLength(2)
  expect(world.asked).toHaveLength(150)
  const rows = await world.rows()
  expect(rows).toHaveLength(150)
  expect(rows[0]).toMatchObject({ classification: 'malicious', cve: ['CVE-2023-1389'], tags: ['Mirai'], noise: true })
  expect(world.status).toMatchObject({ waiting: 250, leftToday: 0 })
})

test('answers of another service do not become rows when the service is changed', async () => {
  world.missed('45.0.0.1')
  await world.advance(MINUTE)
  expect(await world.rows()).toHaveLength(1)
  world.service = 'greynoise_community'
  expect(await world.rows()).toEqual([])
  await configure({})
  expect(world.status).toMatchObject({ service: 'greynoise_community', answers: 0, askedToday: 0 })
})

test('a file that has grown far beyond its answers is rewritten, with the same contents', async () => {
  await configure({ negative_ttl_hours: 0.05, per_minute: 2000, per_day: 1_000_000 })
  world.isBad = (address) => address === '45.0.0.0'
  world.missed('45.0.0.0')
  for (let round = 0; round < 3; round++) {
    world.missed(...addresses(1900, 1))
    await world.advance(4 * MINUTE)
  }
  const before = world.status
  const killed = world.askers
  await world.start()
  expect(world.status).toMatchObject({ answers: before.answers, askedToday: 5701 })
  expect((await world.rows()).map(({ ip }) => ip)).toEqual(['45.0.0.0'])
  await killed.stop()
}, 120_000)

test('content from others sends addresses to a server of its choice only if the operator has listed it for a key', async () => {
  world.service = 'greynoise_community'
  world.secret = undefined
  const fetched = { ...world.definition, file: join(world.folder, 'content-git', 'one', 'verdicts.yml') }
  const missed = async () => {
    world.missed('45.0.0.1')
    await world.advance(MINUTE)
    return world.asked.length
  }
  await world.askers.update([fetched])
  expect(await missed()).toBe(0)
  expect(world.status.lastError).toMatch(/needs the key/)
  world.secret = 's3cr3t'
  world.askers.retry(TABLE)
  expect(await missed()).toBe(1)
  // One's own content asks a server that needs no key without one.
  world.secret = undefined
  await world.askers.update([{ ...world.definition, file: join(world.folder, 'verdicts.yml') }])
  world.missed('45.0.0.2')
  await world.advance(MINUTE)
  expect(world.asked).toHaveLength(2)
})
