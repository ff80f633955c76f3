import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TableSpec } from '../model/column.ts'
import type { BatchSource } from '../stages/source/source.ts'
import { cursorsOf } from '../state/batches.ts'
import { openState, type StateDb } from '../state/db.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { sourceCounts } from '../state/sources.ts'
import { openSqlite } from '../state/sqlite.ts'
import { readBlock } from '../util/block/read.ts'
import { ListSource, loopDeps } from './loop.fixture.ts'
import { Loop } from './loop.ts'
import type { PipelineState } from './pipeline-state.ts'
import { Spool } from './spool.ts'
import { type SpoolPort, SpoolSource } from './spool-source.ts'
import { SqliteSpool } from './sqlite-spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-crash-'))

/**
 * The moment of the crash: after `left` more steps everything hangs forever, as in a killed process. Each call has a step before and after
 * it, so it may or may not have taken effect.
 */
class Doom {
  left: number
  setDead: () => void = () => {}
  /** Calls in progress at the crash: they end before the files are closed, as SQLite's own recovery is not what is tested here. */
  readonly underWay = new Set<Promise<unknown>>()
  readonly dead = new Promise<void>((resolve) => {
    this.setDead = resolve
  })
  constructor(left: number) {
    this.left = left
  }
  async step(): Promise<void> {
    if (this.left-- > 0) return
    this.setDead()
    await new Promise(() => {})
  }
  guard<T extends object>(target: T, methods: readonly (keyof T)[]): T {
    for (const name of methods) {
      const call = target[name] as (...args: unknown[]) => unknown
      Object.assign(target, {
        [name]: async (...args: unknown[]) => {
          await this.step()
          const calling = call.apply(target, args) as Promise<unknown>
          this.underWay.add(calling)
          const value = await calling.finally(() => this.underWay.delete(calling))
          await this.step()
          return value
        },
      })
    }
    return target
  }
}

const portOf = (spool: Spool): SpoolPort => new SqliteSpool(spool, 12)

/** One run of the pipeline over the data folder: until the crash, or until everything is committed. */
async function live(dataDir: string, texts: readonly string[], crashAfter: number): Promise<'crashed' | 'done'> {
  const db = await openState(dataDir)
  const spool = new Spool(openSqlite(join(dataDir, 'spool.db')))
  const doom = new Doom(crashAfter)
  const list = (await cursorsOf(db, 'list'))[0]?.value as { next: number } | undefined
  const sources: BatchSource[] = [
    doom.guard<BatchSource>(new ListSource('list', texts, list?.next ?? 0), ['next', 'read']),
    doom.guard<BatchSource>(new SpoolSource('http', doomedFree(portOf(spool), doom), await cursorsOf(db, 'http')), [
      'next',
      'read',
    ]),
  ]
  const state = doom.guard<PipelineState>(pipelineState(db), ['recordBatch', 'openBatches', 'lastBatchId', 'commitBatch'])
  const loop = new Loop(loopDeps(sources, { state }))
  const running = loop.run().then(() => 'done' as const)
  const watch = setInterval(() => {
    if (loop.isSettled('list') && loop.isSettled('http')) loop.stop()
  }, 1)
  const how = await Promise.race([running, doom.dead.then(() => 'crashed' as const)])
  clearInterval(watch)
  await Promise.allSettled(doom.underWay)
  await db.destroy()
  spool.close()
  return how
}

/** A process that is gone releases nothing. */
function doomedFree(port: SpoolPort, doom: Doom): SpoolPort {
  return {
    next: (sourceId, after) => port.next(sourceId, after),
    read: (sourceId, range) => port.read(sourceId, range),
    free: (sourceId, upTo) => doom.left-- > 0 && port.free(sourceId, upTo),
  }
}

async function outcome(db: StateDb) {
  const outbox = await db
    .selectFrom('outbox')
    .innerJoin('specs', 'specs.spec_id', 'outbox.spec_id')
    .select(['specs.spec', 'outbox.rows'])
    .execute()
  const of = (database: string) =>
    outbox
      .map(({ spec, rows }) => ({ spec: JSON.parse(spec) as TableSpec, rows }))
      .filter(({ spec }) => spec.database === database)
      .flatMap(({ spec, rows }) => readBlock(spec.columns, new Uint8Array(rows)) as string[][])
  const alerts = await db.selectFrom('alerts').select(['body', 'event_count']).execute()
  return {
    lines: of('logs').map(([, source, line]) => `${source} ${line}`),
    rowIds: [...of('logs').map(([id]) => id), ...of('monitor').map(([, id]) => id)],
    letters: of('monitor').map((row) => `${row[4]} ${row[8]}`),
    matches: of('matches').length,
    alerts: Object.fromEntries(
      alerts.map(({ body, event_count }) => [(JSON.parse(body) as { dedup: string }).dedup, event_count]),
    ),
  }
}

const line = fc.constantFrom('a', 'b', 'evil x', 'evil y', 'bad c', 'bad d')
const text = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.map((l) => `${l}\n`).join(''))

test('every record has its effects exactly once, wherever a crash occurs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 6 }),
      fc.array(text, { maxLength: 6 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 }),
      async (files, bodies, crashes) => {
        const dataDir = mkdtempSync(join(folder, 'data-'))
        const spool = new Spool(openSqlite(join(dataDir, 'spool.db')))
        spool.append(
          bodies.map((body, i) => ({
            sourceId: 'http',
            decoding: 'lines',
            receivedMs: 1_699_999_999_000 + i,
            body: Buffer.from(body),
          })),
        )
        spool.close()
        for (const crashAfter of crashes) await live(dataDir, files, crashAfter)
        expect(await live(dataDir, files, Number.POSITIVE_INFINITY)).toBe('done')
        const db = await openState(dataDir)
        const got = await outcome(db)
        const all = [
          ...files.flatMap((file) =>
            file
              .trimEnd()
              .split('\n')
              .map((l) => `list ${l}`),
          ),
          ...bodies.flatMap((body) =>
            body
              .trimEnd()
              .split('\n')
              .map((l) => `http ${l}`),
          ),
        ]
        const isBad = (l: string) => l.includes(' bad ')
        expect([...got.lines].sort()).toEqual(all.filter((l) => !isBad(l)).sort())
        expect([...got.letters].sort()).toEqual(all.filter(isBad).sort())
        expect(new Set(got.rowIds).size).toBe(all.length)
        const evil: Record<string, number> = {}
        for (const l of all)
          if (l.includes('evil')) evil[l.slice(l.indexOf('evil') + 4)] = (evil[l.slice(l.indexOf('evil') + 4)] ?? 0) + 1
        expect(got.alerts).toEqual(evil)
        expect(got.matches).toBe(Object.values(evil).reduce((a, b) => a + b, 0))
        const counts = [...(await sourceCounts(db)).values()]
        const sum = (key: 'received' | 'stored' | 'deadLettered') => counts.reduce((n, count) => n + count[key], 0)
        expect([sum('received'), sum('stored'), sum('deadLettered')]).toEqual([all.length, got.lines.length, got.letters.length])
        await db.destroy()
        const after = new Spool(openSqlite(join(dataDir, 'spool.db')))
        expect(after.bytes()).toBe(0)
        after.close()
      },
    ),
    { numRuns: 40, seed: 5 },
  )
})

test('a batch of a replaced spool is reported as lost, and reads nothing from the new spool', async () => {
  const spool = new Spool(openSqlite(join(folder, 'new.db')))
  spool.append([{ sourceId: 'http', decoding: 'lines', receivedMs: 1, body: Buffer.from('new\n') }])
  const source = new SpoolSource('http', portOf(spool), [{ place: 'spool', value: { epoch: 'old', id: 9 } }])
  const old = { kind: 'spool', epoch: 'old', from: 1, to: 1, receivedMs: 1 }
  const [chunk] = await source.read(old)
  expect([chunk!.bytes.length, chunk!.faults.map(({ reason }) => reason)]).toEqual([0, ['truncated']])
  source.parsed(old)
  source.committed(old)
  const next = (await source.next())!
  expect(Buffer.from((await source.read(next))[0]!.bytes).toString()).toBe('new\n')
  spool.close()
})
