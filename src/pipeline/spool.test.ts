import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqlite } from '../state/sqlite.ts'
import { entryFile } from '../util/entry.ts'
import { StorageError } from '../util/errors.ts'
import { Spool } from './spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-spool-'))
let files = 0
const newFile = () => join(folder, `${++files}.db`)
const body = (sourceId: string, text: string) =>
  ({ sourceId, decoding: 'lines', receivedMs: 7, body: Buffer.from(text) }) as const

/** Everything of a source from an id on, read with `next` and `read` as the pipeline does. */
function drain(spool: Spool, sourceId: string, after: number, maxBytes: number): { id: number; text: string }[] {
  const out: { id: number; text: string }[] = []
  for (let at = after; ; ) {
    const range = spool.next(sourceId, at, maxBytes)
    if (!range) return out
    const rows = spool.read(sourceId, range.from, range.to)
    const bytes = rows.reduce((n, row) => n + row.body.length, 0)
    expect(rows.length === 1 || bytes <= maxBytes).toBe(true)
    out.push(...rows.map((row) => ({ id: row.id, text: Buffer.from(row.body).toString('latin1') })))
    at = range.to
  }
}

interface Model {
  rows: { id: number; sourceId: string; text: string }[]
  lastId: number
}
interface Real {
  file: string
  spool: Spool
}
const sourceIds = ['a', 'b']

class Append implements fc.Command<Model, Real> {
  readonly bodies: readonly (readonly [string, string])[]
  constructor(bodies: readonly (readonly [string, string])[]) {
    this.bodies = bodies
  }
  check = () => true
  run(model: Model, { spool }: Real): void {
    spool.append(this.bodies.map(([sourceId, text]) => ({ ...body(sourceId, ''), body: Buffer.from(text, 'latin1') })))
    for (const [sourceId, text] of this.bodies) model.rows.push({ id: ++model.lastId, sourceId, text })
  }
  toString = () => `append ${JSON.stringify(this.bodies)}`
}
class Free implements fc.Command<Model, Real> {
  readonly sourceId: string
  readonly share: number
  constructor(sourceId: string, share: number) {
    this.sourceId = sourceId
    this.share = share
  }
  check = () => true
  run(model: Model, { spool }: Real): void {
    const upTo = Math.floor(model.lastId * this.share)
    spool.free(this.sourceId, upTo)
    model.rows = model.rows.filter((row) => row.sourceId !== this.sourceId || row.id > upTo)
  }
  toString = () => `free ${this.sourceId} ${this.share}`
}
class Reopen implements fc.Command<Model, Real> {
  check = () => true
  run(_model: Model, real: Real): void {
    const { epoch } = real.spool
    real.spool.close()
    real.spool = new Spool(openSqlite(real.file))
    expect(real.spool.epoch).toBe(epoch)
  }
  toString = () => 'reopen'
}
class Compare implements fc.Command<Model, Real> {
  readonly after: number
  readonly maxBytes: number
  constructor(after: number, maxBytes: number) {
    this.after = after
    this.maxBytes = maxBytes
  }
  check = () => true
  run(model: Model, { spool }: Real): void {
    for (const sourceId of sourceIds) {
      const own = model.rows.filter((row) => row.sourceId === sourceId)
      const wanted = own.filter(({ id }) => id > this.after).map(({ id, text }) => ({ id, text }))
      expect(drain(spool, sourceId, this.after, this.maxBytes)).toEqual(wanted)
      expect(spool.bytes(sourceId)).toBe(own.reduce((n, { text }) => n + text.length, 0))
    }
    expect(spool.bytes()).toBe(model.rows.reduce((n, { text }) => n + text.length, 0))
  }
  toString = () => `compare after ${this.after}, ${this.maxBytes} bytes at a time`
}

test('the spool is a list: any order of appending, reading, freeing and reopening', () => {
  const source = fc.constantFrom(...sourceIds)
  const text = fc
    .oneof(fc.string({ maxLength: 20 }), fc.constant('\0\xff{"a":1}\n'))
    .filter((t) => [...t].every((c) => c < '\u0100'))
  const commands = [
    fc.array(fc.tuple(source, text), { maxLength: 5 }).map((bodies) => new Append(bodies)),
    fc.tuple(source, fc.double({ min: 0, max: 1, noNaN: true })).map(([s, share]) => new Free(s, share)),
    fc.constant(new Reopen()),
    fc.tuple(fc.nat(10), fc.integer({ min: 1, max: 60 })).map(([after, bytes]) => new Compare(after, bytes)),
  ]
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 25 }), (run) => {
      const file = newFile()
      const real = { file, spool: new Spool(openSqlite(file)) }
      fc.modelRun(() => ({ model: { rows: [], lastId: 0 }, real }), [...run, new Compare(0, 30)])
      real.spool.close()
    }),
    { numRuns: 40, seed: 3 },
  )
})

test('on a full disk nothing of a group is appended; once there is space, all of it is', () => {
  const db = openSqlite(newFile(), { maxPages: 40 })
  const spool = new Spool(db)
  spool.append([body('a', 'first')])
  const group = [body('a', 'small'), body('b', 'x'.repeat(400_000))]
  for (let i = 0; i < 3; i++) {
    let fault: unknown
    try {
      spool.append(group)
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(StorageError)
  }
  expect(spool.bytes()).toBe(5)
  expect(drain(spool, 'a', 0, 1000).map(({ text }) => text)).toEqual(['first'])
  db.exec('PRAGMA max_page_count = 10000')
  spool.append(group)
  expect(drain(spool, 'a', 0, 1000).map(({ text }) => text)).toEqual(['first', 'small'])
  spool.close()
})

test('what is freed is gone at once, and is deleted by the next transaction instead of one of its own', () => {
  const file = newFile()
  const db = openSqlite(file)
  const said: string[] = []
  const spool = new Spool({
    ...db,
    prepare: (sql) => {
      const statement = db.prepare(sql)
      const run: typeof statement.run = (parameters) => {
        said.push(sql.split(' ', 1)[0]!)
        return statement.run(parameters)
      }
      return { ...statement, run }
    },
    exec: (sql) => {
      said.push(sql.split(' ', 1)[0]!)
      db.exec(sql)
    },
  })
  const reader = openSqlite(file, { readonly: true })
  const stored = () => (reader.prepare('SELECT id FROM spool ORDER BY id').all([]) as { id: number }[]).map(({ id }) => id)
  spool.append([body('a', 'one'), body('a', 'two'), body('b', 'three')])
  said.length = 0
  spool.free('a', 1)
  spool.free('a', 2)
  expect(said).toEqual([])
  expect([spool.bytes('a'), spool.next('a', 0, 1000), spool.ends()]).toEqual([0, undefined, { b: 3 }])
  spool.append([body('b', 'four')])
  expect(said).toEqual(['BEGIN', 'DELETE', 'INSERT', 'COMMIT'])
  expect(stored()).toEqual([3, 4])
  said.length = 0
  spool.append([body('b', 'five')])
  expect(said).toEqual(['BEGIN', 'INSERT', 'COMMIT'])
  spool.free('b', 3)
  spool.sweep()
  expect(stored()).toEqual([4, 5])
  reader.close()
  spool.close()
})

test('on a full disk, what was freed stays freed, and makes room for what arrives', () => {
  const db = openSqlite(newFile(), { maxPages: 60 })
  const spool = new Spool(db)
  spool.append([body('a', 'x'.repeat(150_000))])
  spool.free('a', 1)
  expect(() => spool.append([body('a', 'y'.repeat(400_000))])).toThrow(StorageError)
  expect([spool.bytes(), spool.next('a', 0, 1000)]).toEqual([0, undefined])
  // Does not fit beside the first.
  spool.append([body('a', 'z'.repeat(150_000))])
  expect(spool.bytes()).toBe(150_000)
  spool.close()
})

test('after kill -9 during appending, everything that was acknowledged is stored, in order', async () => {
  const file = newFile()
  const script = `
    import { Spool } from ${JSON.stringify(entryFile('pipeline/spool'))}
    import { openSqlite } from ${JSON.stringify(entryFile('state/sqlite'))}
    import { writeSync } from 'node:fs'
    const spool = new Spool(openSqlite(${JSON.stringify(file)}))
    const from = Number(process.argv[1])
    for (let i = from; ; i++) {
      spool.append([0, 1].map((n) => ({ sourceId: 's', decoding: 'lines', receivedMs: 1, body: Buffer.from(i + '/' + n + ' ' + 'x'.repeat(i % 5000)) })))
      writeSync(1, i + '\\n')
    }`
  let from = 0
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, String(from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let acknowledged = from - 1
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line)
      // Not awaited in between: the child continues to append while the signal is on its way.
      if (acknowledged === from + 30 + round * 7) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const spool = new Spool(openSqlite(file))
    const names = drain(spool, 's', 0, 1e6).map(({ text }) => text.split(' ', 1)[0]!)
    spool.close()
    const whole = Array.from({ length: names.length / 2 }, (_, i) => [`${i}/0`, `${i}/1`]).flat()
    expect(names).toEqual(whole)
    expect(names.length / 2).toBeGreaterThan(acknowledged)
    from = names.length / 2
  }
})

test('a file records its number of partitions, and one with another number is refused with what to do', () => {
  const file = newFile()
  const db = openSqlite(file)
  new Spool(db)
  db.exec(`UPDATE meta SET value = '4' WHERE key = 'partitions' AND value = '1'`)
  db.close()
  expect(() => new Spool(openSqlite(file))).toThrow(
    new StorageError(
      'spool.db has 4 partitions, and this version reads 1: let the version that wrote it read all of it, or move the file away, which loses what waits in it',
    ),
  )
})
