import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Cursor } from '../../src/model/batch.ts'
import type { azureBlob } from '../../src/stages/source/azure/azure-blob.ts'
import { decodeBody } from '../../src/stages/source/decoders/decode.ts'
import { CommandIntake } from '../../src/stages/source/exec.ts'
import type { file } from '../../src/stages/source/file.ts'
import type { ForwardIntake, fluentForward } from '../../src/stages/source/fluent-forward.ts'
import type { gcs } from '../../src/stages/source/gcs/gcs.ts'
import type { http } from '../../src/stages/source/http.ts'
import { exported } from '../../src/stages/source/journald/journal.fixture.ts'
import { KafkaSource } from '../../src/stages/source/kafka/kafka-source.ts'
import type { poll } from '../../src/stages/source/poll/poll.ts'
import type { s3 } from '../../src/stages/source/s3/s3.ts'
import { type BatchSource, type Intake, type IntakeDeps, NOTHING_OUTSIDE } from '../../src/stages/source/source.ts'
import type { sqs } from '../../src/stages/source/sqs/sqs.ts'
import { StdinIntake } from '../../src/stages/source/stdin.ts'
import type { SyslogIntake, syslog } from '../../src/stages/source/syslog.ts'
import { MsgpackReader } from '../../src/util/msgpack/reader.ts'
import { msgpackOf } from '../../src/util/msgpack/write.ts'
import { TestApi } from '../support/api.ts'
import { AzureStore } from '../support/azure-store.ts'
import { TestBucket, type TestStore } from '../support/bucket.ts'
import { GcsStore } from '../support/gcs-store.ts'
import { JournalFile } from '../support/journal-file.ts'
import { TestQueue } from '../support/queue.ts'
import { S3Store } from '../support/s3-store.ts'
import type { TestServer } from '../support/servers.ts'
import { TestTopic } from '../support/topic.ts'
import type { AnySource } from './sources.ts'
import type { TcpIntake, tcpLines } from './tcp-lines.fixture.ts'

/** A source that can be read again, with something to read. */
export interface Seekable {
  open(cursors: readonly Cursor[]): BatchSource
  /** Adds records, and waits long enough for the source to find them. */
  write(records: readonly string[]): Promise<void>
  end(): Promise<void>
}

/** A source that pushes, with a peer that sends to it. */
export interface Sender {
  readonly intake: Intake
  /** Whether senders get an acknowledgement once their records are on disk. */
  readonly acknowledges: boolean
  /** A sender that must not lose records: sends them until they are acknowledged or, without acknowledgements, until they are in the spool. */
  send(records: readonly string[]): Promise<void>
  end(): Promise<void>
}

const text = (records: readonly string[]) => records.map((record) => `${record}\n`).join('')

function missing(type: string): never {
  throw new Error(`the behaviour suite does not know how to feed the source '${type}': add it to test/suites/source-harnesses.ts`)
}

/** How to provide records to a source that can be read again. */
export function seekable(definition: AnySource): (() => Promise<Seekable>) | undefined {
  if (!definition.seekable) return undefined
  if (definition.type === 'kafka') return messages
  if (definition.type === 'journald') return entries
  if (definition.type === 'poll') return () => answers(definition as typeof poll)
  const store = STORES[definition.type]
  if (store) return () => objects(definition as ObjectDefinition, store)
  return definition.type === 'file' ? () => files(definition as typeof file) : missing(definition.type)
}

async function files(definition: typeof file): Promise<Seekable> {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-suite-'))
  const opened: BatchSource[] = []
  let nowMs = Date.now()
  return {
    open(cursors) {
      const config = definition.config.parse({ id: 'suite', paths: [join(folder, '*.log')], poll_ms: 20, idle_ms: 1000 })
      const source = definition.seekable!(config, {
        cursors,
        wake: () => {},
        now: () => nowMs,
        maxRecordBytes: 1024 * 1024,
        outside: NOTHING_OUTSIDE,
      })
      opened.push(source)
      return source
    },
    async write(records) {
      appendFileSync(join(folder, 'a.log'), text(records))
      nowMs += 5000
    },
    async end() {
      // A failed check leaves its source open, and a faulty source may not close.
      for (const source of opened) void source.close()
      rmSync(folder, { recursive: true })
    },
  }
}

type ObjectDefinition = typeof s3 | typeof gcs | typeof azureBlob

const STORES: Readonly<Record<string, (server: TestServer) => TestStore>> = {
  s3: (server) => new S3Store(server, 'logs'),
  gcs: (server) => new GcsStore(server),
  azure_blob: (server) => new AzureStore(server),
}

/** Each write is an object. */
async function objects(definition: ObjectDefinition, store: (server: TestServer) => TestStore): Promise<Seekable> {
  const bucket = await TestBucket.with(store)
  let written = 0
  return {
    open(cursors) {
      const config = definition.config.parse({ id: 'suite', ...bucket.config })
      return bucket.watched((deps) => definition.seekable!(config as never, { ...deps, cursors }))
    },
    async write(records) {
      bucket.store.objects.set(`logs/${written++}.log`, { content: text(records) })
    },
    end: () => bucket.close(),
  }
}

/** Each poll is answered with all records written so far. */
async function answers(definition: typeof poll): Promise<Seekable> {
  const api = await TestApi.create()
  const all: string[] = []
  api.answer = () => ({ text: `[${all.join(',')}]` })
  return {
    open: (cursors) =>
      api.open((deps) => definition.seekable!(definition.config.parse({ id: 'suite', ...api.config }), { ...deps, cursors })),
    write: async (records) => void all.push(...records),
    end: () => api.close(),
  }
}

/** The definition connects to brokers; its source gets a topic in memory. */
async function messages(): Promise<Seekable> {
  const topic = new TestTopic()
  return {
    open: (cursors) =>
      new KafkaSource({
        id: 'suite',
        start: 'earliest',
        join: (member) => topic.join(member),
        deps: { cursors, wake: () => {} },
      }),
    write: async (records) => topic.produce(records),
    end: async () => {},
  }
}

/** The definition runs journalctl; its source gets a program that stands in for it. The records are the texts of entries. */
async function entries(): Promise<Seekable> {
  const journal = new JournalFile()
  return {
    open(cursors) {
      const source = journal.open(cursors)
      let at = (cursors[0]?.value as { at?: object } | undefined)?.at
      return {
        id: source.id,
        // The program needs a moment to print what there is.
        async next() {
          let extent = await source.next()
          await journal.until(async () => {
            extent ??= await source.next()
            return extent !== undefined || journal.isLast(at)
          })
          at = (extent?.['to'] as object | undefined) ?? at
          return extent
        },
        async read(extent) {
          const chunks = await source.read(extent)
          return chunks.map(({ records: _, hints: __, ...chunk }) => ({ ...chunk, bytes: messageIn(chunk.bytes) }))
        },
        receivedMs: () => source.receivedMs(),
        parsed: (extent) => source.parsed(extent),
        committed: () => source.committed(),
        status: () => source.status(),
        close: () => source.close(),
      } satisfies BatchSource
    },
    write: async (records) => journal.write(records),
    end: () => journal.end(),
  }
}

function messageIn(entry: Uint8Array): Uint8Array {
  return Buffer.from((JSON.parse(Buffer.from(entry).toString()) as { MESSAGE: string }).MESSAGE)
}

/** The records of the suite are the messages of entries. */
function messagesOnly(deps: IntakeDeps): IntakeDeps {
  return {
    ...deps,
    append(body, entry) {
      const decoded = decodeBody(body, entry.decoding)
      if ('broken' in decoded) throw new Error(decoded.broken)
      const lines = Buffer.from(decoded.bytes).toString().trim().split('\n')
      const all = lines.map((line) => `${messageIn(Buffer.from(line))}\n`).join('')
      return deps.append(Uint8Array.from(Buffer.from(all)), { ...entry, decoding: 'lines' })
    },
  }
}

/** How to send records to a source that pushes. */
export function pushing(definition: AnySource): ((deps: IntakeDeps) => Promise<Sender>) | undefined {
  if (!definition.pushes) return undefined
  const post = POSTS[definition.type]
  if (definition.type === 'journal_upload') return (deps) => posts(definition as typeof http, post!, messagesOnly(deps))
  if (post) return (deps) => posts(definition as typeof http, post, deps)
  if (definition.type === 'stdin') return writes
  if (definition.type === 'exec' || definition.type === 'host') return runs
  if (definition.type === 'sqs') return (deps) => queued(definition as typeof sqs, deps)
  if (definition.type === 'syslog') return (deps) => logs(definition as typeof syslog, deps)
  if (definition.type === 'fluent_forward') return (deps) => forwards(definition as typeof fluentForward, deps)
  return definition.type === 'tcp-lines' ? (deps) => connects(definition as typeof tcpLines, deps) : missing(definition.type)
}

/** How a protocol's sender posts records, and how it sees that it must send them again. */
interface Post {
  readonly path: string
  readonly body: (records: readonly string[]) => string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
  /** The response acknowledges the records; false: they are sent again. Throws if they were refused. */
  readonly isDone?: (response: Response) => Promise<boolean>
}

const POSTS: Readonly<Record<string, Post>> = {
  http: { path: '', body: text },
  splunk_hec: {
    path: '/services/collector/event',
    body: (records) => records.map((record) => `{"event":${record}}`).join(''),
    headers: { authorization: 'Splunk good', 'content-type': 'application/json' },
  },
  loki: {
    path: '/loki/api/v1/push',
    body: (records) =>
      JSON.stringify({ streams: [{ stream: { app: 'x' }, values: records.map((record) => ['1700000000000000000', record]) }] }),
    headers: { 'content-type': 'application/json' },
  },
  otlp: {
    path: '/v1/logs',
    body: (records) => {
      const logRecords = records.map((stringValue) => ({ body: { stringValue } }))
      return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
    },
    headers: { 'content-type': 'application/json' },
  },
  journal_upload: {
    path: '/upload',
    body: (records) => Uint8Array.from(Buffer.concat(records.map((record) => exported([['MESSAGE', record]])))),
    headers: { 'content-type': 'application/vnd.fdo.journal' },
  },
  elasticsearch: {
    path: '/_bulk',
    body: (records) => records.map((record) => `{"create":{}}\n${record}\n`).join(''),
    async isDone(response) {
      const { errors, items } = (await response.json()) as { errors: boolean; items: { create: { status: number } }[] }
      if (!errors && items.every(({ create }) => create.status === 201)) return true
      if (items.every(({ create }) => create.status === 429)) return false
      throw new Error(`refused: ${JSON.stringify(items)}`)
    },
  },
}

async function posts(definition: typeof http, post: Post, deps: IntakeDeps): Promise<Sender> {
  const intake = await definition.pushes!(definition.config.parse({ id: 'suite' }), deps)
  const headers = { authorization: 'Bearer good', 'content-type': 'application/x-ndjson', ...post.headers }
  return {
    intake,
    acknowledges: true,
    async send(records) {
      for (;;) {
        const request = new Request('http://x/', { method: 'POST', headers, body: post.body(records) })
        const response = await intake.handle!(request, post.path)
        if (response.ok && (!post.isDone || (await post.isDone(response)))) return
        if (!response.ok && response.status !== 429 && response.status !== 503) throw new Error(`refused with ${response.status}`)
      }
    },
    end: () => intake.close(),
  }
}

/** Without acknowledgements, a record counts as sent when it is in the spool. */
class Appends {
  readonly deps: IntakeDeps
  #onAppended = () => {}

  constructor(deps: IntakeDeps) {
    const append: IntakeDeps['append'] = async (body, entry) => {
      await deps.append(body, entry)
      this.#onAppended()
    }
    this.deps = { ...deps, append }
  }

  async after(send: () => void): Promise<void> {
    const appended = new Promise<void>((resolve) => {
      this.#onAppended = resolve
    })
    send()
    await appended
  }
}

/** The definition reads the process's own standard input; its intake gets another stream. */
async function writes(deps: IntakeDeps): Promise<Sender> {
  const stream = new PassThrough()
  const appends = new Appends(deps)
  const intake = new StdinIntake(stream, appends.deps)
  return {
    intake,
    acknowledges: false,
    send: (records) => appends.after(() => stream.write(text(records))),
    end: () => intake.close(),
  }
}

/** What runs at intervals: here a command that prints what is written to a file. */
async function runs(deps: IntakeDeps): Promise<Sender> {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-suite-'))
  const output = join(folder, 'output')
  appendFileSync(output, '')
  const appends = new Appends(deps)
  const command = { name: 'cat', argv: [['cat', output]], decoding: 'lines' }
  const limits = { every_seconds: 0.02, timeout_ms: 10_000, max_output_bytes: 100_000, only_changes: true }
  const intake = new CommandIntake([command], limits, appends.deps)
  return {
    intake,
    acknowledges: false,
    send: (records) => appends.after(() => appendFileSync(output, text(records))),
    async end() {
      await intake.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function logs(definition: typeof syslog, deps: IntakeDeps): Promise<Sender> {
  const appends = new Appends(deps)
  const config = definition.config.parse({ id: 'suite', listen: '127.0.0.1:0' })
  const intake = (await definition.pushes!(config, appends.deps)) as SyslogIntake
  const socket = connect(intake.port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return {
    intake,
    acknowledges: false,
    send: (records) => appends.after(() => socket.write(text(records))),
    async end() {
      socket.destroy()
      await intake.close()
    },
  }
}

/** Connects again and sends the chunk again, until it is acknowledged. */
async function forwards(definition: typeof fluentForward, deps: IntakeDeps): Promise<Sender> {
  const config = definition.config.parse({ id: 'suite', listen: '127.0.0.1:0' })
  const intake = (await definition.pushes!(config, deps)) as ForwardIntake
  return {
    intake,
    acknowledges: true,
    async send(records) {
      const entries = records.map((record) => [1_700_000_000, JSON.parse(record)])
      for (;;) {
        const socket = connect(intake.port, '127.0.0.1')
        socket.on('error', () => {})
        socket.write(msgpackOf(['app', entries, { chunk: 'c1' }]))
        const [answer] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [unknown]
        socket.destroy()
        if (!Buffer.isBuffer(answer)) continue
        assert.deepEqual(new MsgpackReader(answer).value(), { ack: 'c1' })
        return
      }
    },
    end: () => intake.close(),
  }
}

/** Each send is a message; its deletion is the acknowledgement. */
async function queued(definition: typeof sqs, deps: IntakeDeps): Promise<Sender> {
  const queue = await TestQueue.create()
  const config = definition.config.parse({ id: 'suite', ...queue.config })
  const intake = await definition.pushes!(config, { ...deps, send: queue.send, secret: () => queue.secret })
  return {
    intake,
    acknowledges: true,
    async send(records) {
      queue.put(text(records))
      await queue.emptied()
    },
    async end() {
      await intake.close()
      await queue.close()
    },
  }
}

async function connects(definition: typeof tcpLines, deps: IntakeDeps): Promise<Sender> {
  const intake = (await definition.pushes!(definition.config.parse({ id: 'suite' }), deps)) as TcpIntake
  const socket = connect(intake.port, '127.0.0.1')
  // The source may close the connection.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return {
    intake,
    acknowledges: true,
    async send(records) {
      for (;;) {
        socket.write(text(records))
        const [answer] = (await once(socket, 'data')) as [Buffer]
        if (answer.toString() === `ok ${records.length}\n`) return
        if (answer.toString() !== 'again\n') throw new Error(`answered ${answer}`)
      }
    },
    async end() {
      socket.destroy()
      await intake.close()
    },
  }
}
