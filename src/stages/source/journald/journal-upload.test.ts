import { beforeEach, expect, test } from 'vitest'
import { RetryLater } from '../../../util/errors.ts'
import { allBodies } from '../receive.ts'
import { Shipped } from '../shipper.fixture.ts'
import type { Intake } from '../source.ts'
import { exported } from './journal.fixture.ts'
import { journalUpload } from './journal-upload.ts'

const JOURNAL = { 'content-type': 'application/vnd.fdo.journal' }
let machine: Shipped
let intake: Intake
beforeEach(() => {
  machine = new Shipped((deps) => {
    const config = journalUpload.config.parse({ id: 'journals', max_entry_bytes: 100_000, idle_timeout_ms: 100 })
    intake = journalUpload.pushes!(config, deps) as Intake
    return intake
  })
})

/** Entries of one journal with these numbers. */
function entries(from: number, to: number, text = '', boot = '1'): Buffer[] {
  return Array.from({ length: to - from }, (_, i) =>
    exported([
      ['__CURSOR', `s=abc;i=${(from + i).toString(16)};b=${boot};m=0;t=0;x=0`],
      ['MESSAGE', `${from + i}${text}`],
    ]),
  )
}

/** An upload that arrives in these pieces, and ends with an error if one of them is an error. */
async function upload(pieces: Iterable<Uint8Array | Error>, sender = '192.0.2.1') {
  const rest = pieces[Symbol.iterator]()
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = rest.next()
      if (done) controller.close()
      else if (value instanceof Error) controller.error(value)
      else controller.enqueue(value)
    },
  })
  const headers = { authorization: 'Basic eDpnb29k', ...JOURNAL }
  const request = new Request('http://x/upload', { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
  const response = await intake.handle!(request, '/upload', sender)
  return { status: response.status, text: await response.text() }
}

const messages = () => machine.texts().map((text) => (JSON.parse(text) as { MESSAGE: string }).MESSAGE)
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`)

test('entries arrive with their fields and their log type', async () => {
  const body = Uint8Array.from(Buffer.concat(entries(0, 2)))
  expect(await machine.send('/upload', { body, headers: JOURNAL })).toMatchObject({ status: 202 })
  expect(machine.records()[0]).toEqual({
    text: '{"__CURSOR":"s=abc;i=0;b=1;m=0;t=0;x=0","MESSAGE":"0"}',
    hints: { logType: 'Linux.Journal' },
  })
  expect(messages()).toEqual(['0', '1'])
})

test('an upload without end is stored as it arrives, and does not grow in memory', async () => {
  let held = 0
  function* pieces() {
    for (let n = 0; n < 200; n++) {
      yield Buffer.concat(entries(n * 10, n * 10 + 10, 'x'.repeat(10_000)))
      held = Math.max(held, n * 100_000 - machine.bodies.reduce((sum, { body }) => sum + body.length, 0))
    }
  }
  expect((await upload(pieces())).status).toBe(202)
  expect(machine.bodies.length).toBeGreaterThan(10)
  expect(held).toBeLessThan(2 * 1024 * 1024)
  expect(machine.texts()).toHaveLength(2000)
})

test('an upload that broke off is sent again from its start, and nothing is doubled', async () => {
  const first = entries(0, 150, 'x'.repeat(10_000))
  expect((await upload([...first, new Error('cut')])).status).toBe(503)
  const before = machine.texts().length
  expect(before).toBeGreaterThan(50)
  expect((await upload([...first, ...entries(150, 160, 'x'.repeat(10_000))])).status).toBe(202)
  expect(messages().map((text) => text.replace(/x+/, ''))).toEqual(numbers(0, 160))
})

test.each([
  ['boots of a copy of it', '2', '192.0.2.1'],
  ['addresses of a copy of it', '1', '192.0.2.2'],
])('an upload of a journal that broke off leaves out nothing of other %s', async (_, boot, sender) => {
  const long = 'x'.repeat(10_000)
  expect((await upload([...entries(0, 150, long), new Error('cut')])).status).toBe(503)
  const before = machine.texts().length
  expect(before).toBeGreaterThan(50)
  expect((await upload(entries(0, 50, long, boot), sender)).status).toBe(202)
  expect(machine.texts().length - before).toBe(50)
})

test('an upload that has ended can be repeated on purpose', async () => {
  await upload(entries(0, 3))
  await upload(entries(0, 3))
  expect(messages()).toEqual([...numbers(0, 3), ...numbers(0, 3)])
})

test('while the spool is full, the sender waits', async () => {
  machine.refuse = new RetryLater('the spool is full', 1)
  const done = upload(entries(0, 3))
  while (intake.status!().problems!.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(intake.status!().problems).toEqual(['entries wait: the spool is full'])
  machine.refuse = undefined
  expect((await done).status).toBe(202)
  expect(messages()).toEqual(numbers(0, 3))
  expect(intake.status!().problems).toEqual([])
})

test('when Caracal stops, an upload that waits is not acknowledged', async () => {
  machine.refuse = new RetryLater('the spool is full', 1)
  const done = upload(entries(0, 3))
  while (intake.status!().problems!.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await intake.close()
  expect((await done).status).toBe(429)
})

test('an entry that is too long is a dead letter by its beginning, and those around it are taken', async () => {
  const [long] = entries(1, 2, 'x'.repeat(200_000))
  expect((await upload([...entries(0, 1), long!, ...entries(2, 3)])).status).toBe(202)
  expect(machine.bodies.map(({ body }) => body.length)).toEqual([2 * entries(0, 1)[0]!.length, 65_536])
  expect(Buffer.from(machine.bodies[1]!.body).toString().slice(0, 20)).toBe('__CURSOR=s=abc;i=1;b')
})

test.each([
  ['in the same piece', [Buffer.concat([...entries(0, 2), Buffer.from('x'.repeat(300))])]],
  ['in a piece of its own', [...entries(0, 2), Buffer.from('x'.repeat(300))]],
])('entries before a fault %s are taken, and the answer says what is wrong', async (_, pieces) => {
  const { status, text } = await upload(pieces)
  expect(status).toBe(400)
  expect(text).toMatch(/not the journal export format: .*; the entries before that were taken/)
  expect(messages()).toEqual(['0', '1'])
})

test('an upload that breaks off within an entry is refused', async () => {
  const { status, text } = await upload([...entries(0, 2), Buffer.from('MESSAGE=x\n')])
  expect([status, text]).toEqual([400, expect.stringMatching(/breaks off within an entry/)])
})

test('an upload from which nothing arrives any more is ended, and leaves no memory taken', async () => {
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from('MESSAGE=')) })
  const headers = { authorization: 'Bearer good', ...JOURNAL }
  const request = new Request('http://x/upload', { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
  const response = await intake.handle!(request, '/upload')
  expect([response.status, await response.text()]).toEqual([408, 'nothing arrived for 0.1 s\n'])
  const all = 256 * 1024 * 1024
  expect(allBodies.take(all)).toBe(true)
  allBodies.release(all)
})

test.each<[string, string, object, number, RegExp]>([
  ['another path', '/other', {}, 404, /sent to \/upload/],
  ['another method', '/upload', { method: 'PUT', body: 'x' }, 405, /POST/],
  ['another type', '/upload', { headers: { 'content-type': 'application/json' } }, 415, /vnd\.fdo\.journal/],
  ['compression', '/upload', { headers: { ...JOURNAL, 'content-encoding': 'zstd' } }, 415, /uncompressed/],
  ['a wrong token', '/upload', { headers: { ...JOURNAL, authorization: 'Basic eDpiYWQ=' } }, 401, /token is wrong/],
])('%s is refused, and nothing is stored', async (_, path, init, status, message) => {
  const answer = await machine.send(path, { body: 'MESSAGE=x\n\n', ...init })
  expect(answer.status).toBe(status)
  expect(answer.body).toMatch(message)
  expect(machine.bodies).toEqual([])
})
