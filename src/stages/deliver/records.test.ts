import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { SyslogServer } from '../../../test/support/syslog-server.ts'
import type { OutgoingAlert } from '../../model/outgoing-alert.ts'
import { connectNowhere } from '../../util/http/open-socket.ts'
import type { Delivery, DestinationDeps } from './destination.ts'
import { file } from './file.ts'
import { deliveryLine } from './json-line.ts'
import { sns } from './sns.ts'
import { groupOf, sqs } from './sqs.ts'
import { syslog } from './syslog.ts'

const delivery = (id: string, alert: Partial<OutgoingAlert> = {}): Delivery => ({
  id,
  kind: 'opened',
  alert: outgoingAlert(alert),
})
const never = () => AbortSignal.timeout(20_000)
const NOW = Date.parse('2026-03-01T10:00:00Z')
const deps = (more: Partial<DestinationDeps> = {}): DestinationDeps => ({
  send: async () => ({ status: 200, headers: new Map(), body: new Uint8Array() }),
  socket: connectNowhere,
  trusted: {},
  now: () => NOW,
  write: () => {},
  secret: () => 'secret',
  ...more,
})

describe('the line of a delivery', () => {
  test('is valid JSON within its limit, without control characters, whatever the alert contains', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 })
    const alerts = fc.record({ title: text, description: text, runbook: text, dedup: text, context: fc.json() })
    fc.assert(
      fc.property(alerts, fc.integer({ min: 4096, max: 6000 }), (alert, max) => {
        const line = deliveryLine(delivery('d1', alert), max)
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029\ufffe\uffff]/u)
        const { delivery: id, alertContext, truncated } = JSON.parse(line)
        expect(id).toBe('d1')
        if (truncated === undefined) expect(alertContext).toEqual(JSON.parse(alert.context))
        else expect(alertContext).toEqual({})
      }),
      { numRuns: 300, seed: 7 },
    )
  })

  test.each([
    [{ context: JSON.stringify({ x: 'x'.repeat(9000) }) }, ['alertContext']],
    [{ description: 'é'.repeat(9000) }, ['alertContext', 'description', 'runbook', 'tags']],
    [{}, undefined],
  ])('leaves out what is too long: %#', (alert, truncated) => {
    const line = deliveryLine(delivery('d1', alert), 8192)
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(8192)
    expect(JSON.parse(line).truncated).toEqual(truncated)
  })
})

describe('a file', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-file-'))
    path = join(folder, 'alerts.ndjson')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const made = () => file.create({ ...file.config.parse({ id: 'f', path }) }, deps())
  const idsIn = (name: string) =>
    readFileSync(name, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { delivery: string }).delivery)

  test('has every alert once and in order, through a rotation under load', async () => {
    const destination = await made()
    const ids = Array.from({ length: 200 }, (_, n) => `d${n}`)
    const sends = ids.map((id) => destination.send(delivery(id), never()))
    await sends[50]
    renameSync(path, `${path}.1`)
    await Promise.all(sends)
    await destination.close()
    expect([...idsIn(`${path}.1`), ...idsIn(path)]).toEqual(ids)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('begins a new line after one that was cut off', async () => {
    writeFileSync(path, '{"delivery":"before"}\n{"delivery":"cut')
    const destination = await made()
    await destination.send(delivery('d1'), never())
    appendFileSync(path, '')
    expect(readFileSync(path, 'utf8')).toMatch(/^\{"delivery":"before"\}\n\{"delivery":"cut\n\{"delivery":"d1",.*\n$/)
  })

  test('says which folder is missing, and works once it exists', async () => {
    const { mkdirSync } = await import('node:fs')
    path = join(folder, 'sub/alerts.ndjson')
    const destination = await made()
    await expect(destination.send(delivery('d1'), never())).rejects.toThrow(`create the folder ${join(folder, 'sub')}`)
    expect(existsSync(path)).toBe(false)
    mkdirSync(join(folder, 'sub'))
    await destination.send(delivery('d2'), never())
    expect(idsIn(path)).toEqual(['d2'])
  })
})

describe('syslog', () => {
  const RFC5424 = /^<(\d{1,3})>1 2026-03-01T10:00:00\.000Z \S{1,255} caracal \d+ opened - (\{.*\})$/

  test.each([
    ['CRITICAL', 16, 130],
    ['HIGH', 16, 131],
    ['INFO', 0, 6],
    ['LOW', 23, 189],
  ] as const)('%s in facility %i has the priority %i', async (severity, facility, priority) => {
    const server = await new SyslogServer().listen()
    const { port } = new URL(server.url)
    const destination = await syslog.create(
      syslog.config.parse({ id: 's', host: '127.0.0.1', port: Number(port), facility }),
      deps(),
    )
    await destination.send(delivery('d1', { severity }), never())
    const [, pri, body] = RFC5424.exec(server.received[0]!)!
    expect([Number(pri), JSON.parse(body!)]).toMatchObject([priority, { delivery: 'd1', severity }])
    await server.close()
  })

  test('over UDP, a message is one datagram within the limit', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    const destination = await syslog.create(
      syslog.config.parse({ id: 's', host: '127.0.0.1', port, transport: 'udp', max_bytes: 2048 }),
      deps(),
    )
    const arrived = once(socket, 'message')
    await destination.send(delivery('d1', { context: JSON.stringify({ x: 'x'.repeat(5000) }) }), never())
    const [message] = (await arrived) as [Buffer]
    expect(message.length).toBeLessThanOrEqual(2048)
    expect(JSON.parse(RFC5424.exec(message.toString())![2]!)).toMatchObject({ delivery: 'd1', truncated: ['alertContext'] })
    await new Promise<void>((resolve) => void socket.close(() => resolve()))
  })

  test('with TLS, a server with a certificate of an unknown authority gets nothing', async () => {
    const server = await new SyslogServer(true).listen()
    const { port } = new URL(server.url)
    const config = syslog.config.parse({ id: 's', host: '127.0.0.1', port: Number(port), transport: 'tls' })
    const destination = await syslog.create(config, deps())
    await expect(destination.send(delivery('d1'), never())).rejects.toThrow(
      /the syslog server at 127\.0\.0\.1:\d+ \(tls\): unable to verify/,
    )
    expect(server.received).toEqual([])
    await server.close()
  })
})

describe('a service of AWS', () => {
  const config = () => sqs.config.parse({ id: 'q', queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/alerts' })

  test.each([
    [400, '{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}', 'refused', '(QueueDoesNotExist)'],
    [400, '{"__type":"com.amazon.coral.service#ThrottlingException"}', 'retry_later', '(ThrottlingException)'],
    [403, '<Error><Code>RequestExpired</Code></Error>', 'retry_later', '(RequestExpired)'],
    [403, '<Error><Code>AccessDenied</Code></Error>', 'refused', 'permissions'],
    [500, 'x', 'retry_later', 'answered 500'],
    [400, '{"__type":"<script>"}', 'refused', 'answered 400: check'],
  ])('that answers %i %s', async (status, body, code, text) => {
    const send: DestinationDeps['send'] = async () => ({ status, headers: new Map(), body: Buffer.from(body) })
    const destination = await sqs.create(config(), deps({ send }))
    const sent = destination.send(delivery('d1'), never())
    await expect(sent).rejects.toMatchObject({ code, message: expect.stringContaining(text) })
  })

  test('gets text that is safe to show, if people read it', async () => {
    const bodies: URLSearchParams[] = []
    const send: DestinationDeps['send'] = async ({ body }) => {
      bodies.push(new URLSearchParams(String(body)))
      return { status: 200, headers: new Map(), body: new Uint8Array() }
    }
    const topic_arn = 'arn:aws:sns:eu-central-1:123456789012:alerts'
    const destination = await sns.create(sns.config.parse({ id: 't', topic_arn, format: 'text' }), deps({ send }))
    await destination.send(delivery('d1', { title: 'https://evil.example\r\nX: \u202e é' }), never())
    const { Message, Subject } = Object.fromEntries(bodies[0]!)
    expect(Message).toContain('hxxps://evil.example')
    expect(Message).not.toMatch(/https:\/\/evil|\u202e|\r/)
    expect(Subject).toMatch(/^[\x20-\x7e]{1,100}$/)
  })

  test('names groups of a FIFO queue by what they may contain', () => {
    expect(groupOf('Rule/é 1')).toBe('Rule---1')
    expect(groupOf('x'.repeat(200))).toHaveLength(128)
  })
})
