import { strict as assert } from 'node:assert'
import type { Cursor, Extent } from '../../src/model/batch.ts'
import type { Chunk } from '../../src/model/chunk.ts'
import { decodeBody } from '../../src/stages/source/decoders/decode.ts'
import { sources } from '../../src/stages/source/index.ts'
import { type BatchSource, BUSY, type Intake, type IntakeDeps, type SpoolEntry } from '../../src/stages/source/source.ts'
import { RetryLater } from '../../src/util/errors.ts'
import { sendNothing } from '../../src/util/http/send.ts'
import type { Behaviour, Suite } from './behaviours.ts'
import { pushing, type Seekable, type Sender, seekable } from './source-harnesses.ts'

/** A source from its registry, or from a test. */
export interface AnySource {
  readonly type: string
  readonly seekable?: unknown
  readonly pushes?: unknown
  readonly listens?: unknown
}

export interface SourceSubject {
  readonly definition: AnySource
  /** For seekable sources: records to read. */
  readonly seekable?: (() => Promise<Seekable>) | undefined
  /** For sources that push: a peer that sends to it. */
  readonly sender?: ((deps: IntakeDeps) => Promise<Sender>) | undefined
  /** Time in milliseconds after which a call counts as hung. */
  readonly deadlineMs: number
}

const RECORDS = ['{"n":1}', '{"n":2,"text":"é"}', '{"n":3}']
const MORE = ['{"n":4}', '{"n":5}']

/** Rejects if the call does not return. */
async function inTime<T>(call: Promise<T>, what: string, { deadlineMs }: SourceSubject): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come back within ${deadlineMs} ms`)), deadlineMs)
  })
  return Promise.race([call, deadline]).finally(() => clearTimeout(timer))
}

interface Read {
  readonly records: readonly { readonly text: string; readonly rowPlace: string }[]
  readonly extents: readonly Extent[]
  readonly cursors: readonly Cursor[]
}

/** Reads everything available, as the pipeline does. */
async function readAll(source: BatchSource, subject: SourceSubject): Promise<Read> {
  const read = {
    records: [] as { text: string; rowPlace: string }[],
    extents: [] as Extent[],
    cursors: new Map<string, Cursor>(),
  }
  for (;;) {
    const extent = await inTime(source.next(), 'next', subject)
    if (extent === BUSY) continue
    if (!extent) break
    const kept = structuredClone(extent)
    read.records.push(...recordsOf(await inTime(source.read(extent), 'read', subject)))
    const cursor = structuredClone(source.parsed(extent, ''))
    read.cursors.set(cursor.place, cursor)
    source.committed(extent)
    read.extents.push(kept)
  }
  return { ...read, cursors: [...read.cursors.values()] }
}

function recordsOf(chunks: readonly Chunk[]): { text: string; rowPlace: string }[] {
  return chunks.flatMap(({ bytes, records, place, offset }) => {
    const text = Buffer.from(bytes).toString('latin1')
    const spans = records ? pairs(records) : lineSpans(text)
    return spans.map(([from, to]) => ({
      text: Buffer.from(text.slice(from, to), 'latin1').toString().trim(),
      rowPlace: `${place}:${offset + from}`,
    }))
  })
}

function pairs(records: Uint32Array): [number, number][] {
  return Array.from({ length: records.length / 2 }, (_, i) => [records[2 * i]!, records[2 * i + 1]!])
}

function lineSpans(text: string): [number, number][] {
  return [...text.matchAll(/[^\n]*\S[^\n]*/g)].map((found) => [found.index, found.index + found[0].length])
}

function texts({ records }: Read): string[] {
  return records.map(({ text }) => text)
}

/** Runs a check on a source that can be read again; passes for other sources. */
function onSeekable(check: (made: Seekable, subject: SourceSubject) => Promise<void>): Behaviour<SourceSubject>['check'] {
  return async (subject) => {
    const made = await subject.seekable?.()
    if (!made) return
    try {
      await check(made, subject)
    } finally {
      await made.end()
    }
  }
}

/** The context of an intake in a test: a spool that may be full. */
class TestSpool {
  readonly bodies: { readonly body: Uint8Array; readonly entry: SpoolEntry }[] = []
  /** Number of next bodies to refuse for lack of room. */
  refused = 0
  /** Bodies are on disk once this has resolved. */
  synced: Promise<void> = Promise.resolve()

  readonly deps: IntakeDeps = {
    append: async (body, entry) => {
      if (this.refused-- > 0) throw new RetryLater('the spool is full', 1)
      await this.synced
      this.bodies.push({ body: Uint8Array.from(body), entry })
    },
    now: () => 1_700_000_000_000,
    authorised: (token) => token === 'good',
    send: sendNothing,
    secret: () => 'hush',
  }

  records(): string[] {
    return this.bodies.flatMap(({ body, entry }) => {
      const decoded = decodeBody(body, entry.decoding)
      if ('broken' in decoded) throw new Error(decoded.broken)
      return recordsOf([{ ...decoded, place: '', offset: 0, context: '', final: true, faults: [] }]).map(({ text }) => text)
    })
  }
}

function onPushing(
  check: (sender: Sender, spool: TestSpool, subject: SourceSubject) => Promise<void>,
): Behaviour<SourceSubject>['check'] {
  return async (subject) => {
    const spool = new TestSpool()
    const sender = await subject.sender?.(spool.deps)
    if (!sender) return
    try {
      await check(sender, spool, subject)
    } finally {
      await inTime(sender.end(), 'the end', subject)
    }
  }
}

function close(intake: Intake | BatchSource, subject: SourceSubject): Promise<void> {
  return inTime(intake.close(), 'close', subject)
}

const behaviours: readonly Behaviour<SourceSubject>[] = [
  {
    name: 'is seekable or pushes, and listens only where it pushes',
    check({ definition }) {
      assert.notEqual(definition.seekable === undefined, definition.pushes === undefined)
      assert.ok(definition.listens === undefined || definition.pushes !== undefined)
    },
  },
  {
    name: 'reads what there is, once and in order',
    check: onSeekable(async ({ open, write }, subject) => {
      await write(RECORDS)
      const source = open([])
      assert.deepEqual(texts(await readAll(source, subject)), RECORDS)
      assert.deepEqual(texts(await readAll(source, subject)), [])
      await write(MORE)
      assert.deepEqual(texts(await readAll(source, subject)), MORE)
      await close(source, subject)
    }),
  },
  {
    name: 'goes on behind its cursors after a restart',
    check: onSeekable(async ({ open, write }, subject) => {
      await write(RECORDS)
      const first = open([])
      const { cursors } = await readAll(first, subject)
      await close(first, subject)
      await write(MORE)
      const second = open(cursors)
      assert.deepEqual(texts(await readAll(second, subject)), MORE)
      await close(second, subject)
    }),
  },
  {
    name: 'returns the same records and places for a recorded extent after a restart',
    check: onSeekable(async ({ open, write }, subject) => {
      await write(RECORDS)
      const first = open([])
      const before = await readAll(first, subject)
      await close(first, subject)
      await write(MORE)
      const second = open(before.cursors)
      const again = []
      for (const extent of before.extents) again.push(...recordsOf(await inTime(second.read(extent), 'read', subject)))
      assert.deepEqual(again, before.records)
      assert.equal(new Set(again.map(({ rowPlace }) => rowPlace)).size, RECORDS.length)
      await close(second, subject)
    }),
  },
  {
    name: 'does not wait for data, and says what is left',
    check: onSeekable(async ({ open, write }, subject) => {
      const source = open([])
      assert.equal(await inTime(source.next(), 'next', subject), undefined)
      await write(RECORDS)
      await readAll(source, subject)
      assert.equal(source.status().backlogBytes, 0)
      await close(source, subject)
    }),
  },
  {
    name: 'stops promptly when it is closed, with data left unread',
    check: onSeekable(async ({ open, write }, subject) => {
      await write(RECORDS)
      const source = open([])
      await inTime(source.next(), 'next', subject)
      await close(source, subject)
    }),
  },
  {
    name: 'puts every record into the spool, once and in order',
    check: onPushing(async ({ send }, spool, subject) => {
      await inTime(send(RECORDS), 'send', subject)
      await inTime(send(MORE), 'send', subject)
      assert.deepEqual(spool.records(), [...RECORDS, ...MORE])
      assert.ok(spool.bodies.every(({ entry }) => entry.receivedMs === spool.deps.now()))
    }),
  },
  {
    name: 'acknowledges after the records are on disk, never before',
    check: onPushing(async ({ send, acknowledges }, spool, subject) => {
      if (!acknowledges) return
      let sync = () => {}
      spool.synced = new Promise((resolve) => {
        sync = resolve
      })
      let isAcknowledged = false
      const sending = send(RECORDS).then(() => {
        isAcknowledged = true
      })
      // Enough time for a premature answer to arrive.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(isAcknowledged, false)
      sync()
      await inTime(sending, 'send', subject)
      assert.deepEqual(spool.records(), RECORDS)
    }),
  },
  {
    name: 'loses and doubles nothing for a sender that tries again while the spool is full',
    check: onPushing(async ({ send }, spool, subject) => {
      spool.refused = 2
      await inTime(send(RECORDS), 'send', subject)
      assert.deepEqual(spool.records(), RECORDS)
    }),
  },
  {
    name: 'ends soon when it is closed, and what was acknowledged is on disk',
    check: onPushing(async ({ send, intake }, spool, subject) => {
      await inTime(send(RECORDS), 'send', subject)
      await close(intake, subject)
      assert.deepEqual(spool.records(), RECORDS)
    }),
  },
]

/** The source with its harness from the table. */
export function sourceSubject(definition: AnySource, deadlineMs = 20_000): SourceSubject {
  return { definition, seekable: seekable(definition), sender: pushing(definition), deadlineMs }
}

export const sourceSuite: Suite<AnySource, SourceSubject> = {
  kind: 'source',
  registry: sources as readonly AnySource[],
  subjectOf: (definition) => sourceSubject(definition),
  behaviours,
}
