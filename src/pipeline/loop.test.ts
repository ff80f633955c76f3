import { expect, test, vi } from 'vitest'
import { NOTHING_KNOWN } from '../model/alert.ts'
import type { BatchEffects, Decision, Extent, RecordedBatch } from '../model/batch.ts'
import { readBlock } from '../util/block/read.ts'
import { StorageError } from '../util/errors.ts'
import type { EffectsDeps } from './effects.ts'
import { evilDetector, evilRule, ListSource, lineGeneration, loopDeps } from './loop.fixture.ts'
import { Loop } from './loop.ts'
import type { PipelineState } from './pipeline-state.ts'
import { Turns } from './turns.ts'

/** State in memory, with a log of the calls to it in order. */
class MemoryState implements PipelineState {
  readonly log: string[] = []
  readonly batches = new Map<string, { batch: RecordedBatch; done: boolean }>()
  readonly committed: BatchEffects[] = []
  async recordBatch(batch: RecordedBatch): Promise<void> {
    this.log.push(`record ${batch.sourceId}${batch.extent['at']}`)
    if (!this.batches.has(batch.batchId)) this.batches.set(batch.batchId, { batch, done: false })
  }
  async openBatches(): Promise<RecordedBatch[]> {
    return [...this.batches.values()].filter(({ done }) => !done).map(({ batch }) => batch)
  }
  async lastBatchId(): Promise<string | undefined> {
    return [...this.batches.keys()].sort().at(-1)
  }
  async commitBatch(batch: RecordedBatch, { decide }: Decision<BatchEffects>): Promise<BatchEffects | undefined> {
    const entry = this.batches.get(batch.batchId)
    if (!entry || entry.done) return undefined
    const effects = decide(NOTHING_KNOWN)
    this.log.push(`commit ${batch.sourceId}${batch.extent['at']}`)
    entry.done = true
    this.committed.push(effects)
    return effects
  }
  async tryBatch(): Promise<void> {}
  async commit<E>({ decide }: Decision<E>): Promise<E> {
    this.log.push('commit other')
    return decide(NOTHING_KNOWN)
  }
  outboxSize = async () => ({ rows: 0, bytes: 0, oldestMs: undefined })
  beginFlush = async () => undefined
  flushParts = async () => []
  endFlush = async () => {}
  heldFlushes = async () => []
}

/** Runs until `n` batches are committed, then stops. */
async function runUntil(
  deps: Parameters<typeof loopDeps>[1] & { state: MemoryState },
  sources: ListSource[],
  n: number,
): Promise<void> {
  let seen = 0
  const loop: Loop = new Loop(
    loopDeps(sources, {
      ...deps,
      onCommitted: (effects) => {
        deps.onCommitted?.(effects)
        if (++seen >= n) loop.stop()
      },
    }),
  )
  await loop.run()
}

const lines = (state: MemoryState) =>
  state.committed.flatMap(({ rows }) =>
    rows
      .filter(({ spec }) => spec.database === 'logs')
      .flatMap(({ spec, rows: block }) => readBlock(spec.columns, block).map((row) => JSON.stringify(row))),
  )

test('sources take turns: a flood does not starve the others', async () => {
  const flood = new ListSource(
    'flood',
    Array.from({ length: 100 }, () => 'x\n'),
  )
  const quiet = new ListSource('quiet', ['a\n', 'b\n'])
  const turns = new Turns([flood, quiet], { now: () => 0, pauseMs: 500, onTrouble: () => {} })
  const order: string[] = []
  for (let i = 0; i < 6; i++) {
    const { source, extent } = (await turns.next())!
    source.parsed(extent, '')
    order.push(source.id)
  }
  expect(order).toEqual(['flood', 'quiet', 'flood', 'quiet', 'flood', 'flood'])
  expect(turns.isDry('quiet')).toBe(true)
  turns.refresh()
  expect(turns.isDry('quiet')).toBe(false)
})

test('every batch is recorded before it is committed, and commits keep the order', async () => {
  const state = new MemoryState()
  const source = new ListSource('s', ['0\n', '1\n', '2\n', '3\n', '4\n', '5\n'])
  // Later batches are judged faster than earlier ones.
  let judged = 0
  const detector = evilDetector({
    evaluate: async () => {
      await new Promise((resolve) => setTimeout(resolve, 30 - 5 * judged++))
      return []
    },
  })
  await runUntil({ state, generation: { detectors: [detector] } }, [source], 6)
  expect(state.log.filter((entry) => entry.startsWith('commit'))).toEqual([0, 1, 2, 3, 4, 5].map((i) => `commit s${i}`))
  for (let i = 0; i < 6; i++) expect(state.log.indexOf(`record s${i}`)).toBeLessThan(state.log.indexOf(`commit s${i}`))
  expect(source.done).toEqual([0, 1, 2, 3, 4, 5])
})

test('batches recorded before a crash are made again first, and ids continue after theirs, even if the clock went back', async () => {
  const state = new MemoryState()
  const id = (n: number) => String(n).padStart(20, '0')
  const future = 1_900_000_000_000_000
  state.batches.set(id(future - 1), {
    done: true,
    batch: { batchId: id(future - 1), sourceId: 's', extent: { kind: 'list', at: 0 }, receivedMs: 1 },
  })
  state.batches.set(id(future), {
    done: false,
    batch: { batchId: id(future), sourceId: 's', extent: { kind: 'list', at: 1 }, receivedMs: 42 },
  })
  await runUntil({ state }, [new ListSource('s', ['0\n', '1\n', '2\n'], 1)], 2)
  expect(state.committed.map(({ batch }) => [batch.extent['at'], batch.receivedMs === 42])).toEqual([
    [1, true],
    [2, false],
  ])
  expect(Number(state.committed[1]!.batch.batchId)).toBeGreaterThan(future)
})

test('with a stopped clock, a second start loses nothing to batch ids of the first', async () => {
  const state = new MemoryState()
  await runUntil({ state }, [new ListSource('s', ['0\n', '1\n'])], 2)
  await runUntil({ state }, [new ListSource('s', ['0\n', '1\n', '2\n'], 2)], 1)
  expect(lines(state).map((row) => (JSON.parse(row) as string[])[2])).toEqual(['0', '1', '2'])
})

test.each(['recordBatch', 'commitBatch', 'openBatches'] as const)(
  'a failure of %s is reported and retried, and nothing is lost',
  async (method) => {
    const state = new MemoryState()
    const troubles: (string | undefined)[] = []
    let failures = 4
    const failing = Object.assign(Object.create(state) as MemoryState, {
      [method]: async (...given: readonly [never, never]) => {
        if (failures-- > 0) throw new StorageError('database or disk is full')
        return state[method](...given)
      },
    })
    await runUntil(
      { state: failing, onTrouble: (_, message) => troubles.push(message) },
      [new ListSource('s', ['a\n', 'b\n'])],
      2,
    )
    expect(troubles[0]).toMatch(/state cannot be (read|written); everything waits until it succeeds: database or disk is full/)
    expect(troubles.at(-1)).toBeUndefined()
    expect(lines(state).length).toBe(2)
  },
)

test.each(['next', 'read'] as const)('a source whose %s fails for a while recovers', async (method) => {
  const state = new MemoryState()
  const source = new ListSource('s', ['a\n', 'b\n'])
  let failures = 1
  const whole = source[method].bind(source) as (argument?: never) => Promise<never>
  Object.assign(source, {
    [method]: async (argument: never) => {
      if (failures-- > 0) throw new Error('input/output error')
      return whole(argument)
    },
  })
  await runUntil({ state }, [source], 2)
  expect(lines(state).length).toBe(2)
})

test('stop commits batches in progress, and begins no new ones', async () => {
  const state = new MemoryState()
  const source = new ListSource(
    's',
    Array.from({ length: 50 }, (_, i) => `${i}\n`),
  )
  let release: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let received = 1000
  Object.assign(source, { receivedMs: () => received++ })
  const detector = evilDetector({ evaluate: async () => held.then(() => []) })
  const loop = new Loop(loopDeps([source], { state, generation: { detectors: [detector] } }))
  const running = loop.run()
  await vi.waitFor(() => expect([...loop.inFlight.values()]).toEqual([3]))
  expect(loop.oldestMs('s')).toBe(1000)
  loop.stop()
  release()
  await running
  expect(state.log.filter((entry) => entry.startsWith('commit')).length).toBe(
    state.log.filter((entry) => entry.startsWith('record')).length,
  )
  expect(source.done.length).toBeLessThan(50)
  expect(loop.inFlight.get('s')).toBe(0)
  expect(loop.oldestMs('s')).toBeUndefined()
})

test('stop ends a loop whose disk is full; recorded batches stay recorded', async () => {
  const state = new MemoryState()
  const loop = new Loop(
    loopDeps([new ListSource('s', ['a\n'])], {
      state: Object.assign(Object.create(state) as MemoryState, {
        commitBatch: () => Promise.reject(new StorageError('disk full')),
      }),
      onTrouble: (_, message) => message && loop.stop(),
    }),
  )
  await expect(loop.run()).rejects.toThrow('disk full')
  expect((await state.openBatches()).length).toBe(1)
})

test('a batch is finished with the generation that it began with, however often content is swapped meanwhile', async () => {
  const state = new MemoryState()
  const source = new ListSource('s', ['evil a\n', 'evil b\n'])
  const judgedBy: string[] = []
  let swap: () => void = () => {}
  const swapped = new Promise<void>((resolve) => {
    swap = resolve
  })
  const generations = ['old', 'new'].map((hash) => {
    const detector = evilDetector()
    const evaluate: typeof detector.evaluate = async (batch) => {
      judgedBy.push(hash)
      // The first batch waits until the second one has begun with other content.
      if (hash === 'old') await swapped
      else swap()
      return detector.evaluate(batch)
    }
    const rules = new Map([['Evil', { ...evilRule, outputIds: [hash] }]])
    return lineGeneration({ hash, rules, detectors: [{ ...detector, evaluate }] })
  })
  let asked = 0
  const routes = ['old', 'new'].map((id) => ({ id, severities: [] }))
  const loop: Loop = new Loop({
    ...loopDeps([source], { state, routes, onCommitted: () => state.committed.length === 2 && loop.stop() }),
    generation: () => generations[asked++]!,
  })
  await loop.run()
  expect([asked, judgedBy]).toEqual([2, ['old', 'new']])
  expect(lines(state).map((row) => (JSON.parse(row) as string[]).slice(2))).toEqual([
    ['evil a', 'old'],
    ['evil b', 'new'],
  ])
  expect(state.committed.map(({ deliveries }) => deliveries.map(({ destination }) => destination))).toEqual([['old'], ['new']])
})

test('commits other than batches use the generation that judged them, or else the one in force at their turn', async () => {
  const [old, now] = ['old', 'new'].map((hash) => lineGeneration({ hash }))
  const loop = new Loop({ ...loopDeps([], { state: new MemoryState() }), generation: () => now! })
  const seen: string[] = []
  const note = async (deps: EffectsDeps) => {
    seen.push(deps.generation.hash)
    return undefined
  }
  await Promise.all([loop.other(note, old), loop.other(note)])
  expect(seen).toEqual(['old', 'new'])
})

test('while the outbox is full no batch begins; once the loop learns that it has room, reading continues', async () => {
  const state = new MemoryState()
  let isFull = true
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const loop = new Loop(
    loopDeps([new ListSource('s', ['a\n'])], {
      state,
      isFull: () => {
        asked()
        return isFull
      },
      onCommitted: () => loop.stop(),
    }),
  )
  const running = loop.run()
  await isAsked
  expect(state.log).toEqual([])
  isFull = false
  loop.wake()
  await running
  expect(state.log).toEqual(['record s0', 'commit s0'])
})

test('a source counts as settled only if it was read after the last wake-up', async () => {
  const state = new MemoryState()
  const source = new ListSource('s', [])
  const loop = new Loop(loopDeps([source], { state }))
  expect(loop.isSettled('s')).toBe(false)
  const running = loop.run()
  await vi.waitFor(() => expect(loop.isSettled('s')).toBe(true))
  source.texts.push('late\n')
  loop.wake()
  expect(loop.isSettled('s')).toBe(false)
  await vi.waitFor(() => expect(loop.isSettled('s')).toBe(true))
  expect(source.done).toEqual([0])
  loop.stop()
  await running
})

test('a record that breaks the parser is the only internal dead letter, and the rest of its batch continues', async () => {
  const state = new MemoryState()
  await runUntil({ state }, [new ListSource('s', ['a\nthrow\nb\nbad\nc\n', 'throw\n', 'd\n'])], 3)
  const letters = state.committed.flatMap(({ rows }) =>
    rows
      .filter(({ spec }) => spec.table === 'dead_letters')
      .flatMap(({ spec, rows: block }) => readBlock(spec.columns, block) as string[][]),
  )
  expect(letters.map((row) => [row[2], row[5]?.split(':')[1], row[8]])).toEqual([
    ['internal', '2', 'throw\n'],
    ['invalid_json', undefined, 'bad'],
    ['internal', '0', 'throw\n'],
  ])
  expect(lines(state).map((row) => (JSON.parse(row) as string[])[2])).toEqual(['a', 'b', 'c', 'd'])
  expect(state.committed.map(({ counts }) => counts.find(({ outcome }) => outcome === 'received')?.n)).toEqual([5, 1, 1])
})

test('a detector that cannot judge is called again until it can', async () => {
  const state = new MemoryState()
  let failures = 1
  const good = evilDetector()
  const detector = evilDetector({
    evaluate: async (batch) => {
      if (failures-- > 0) throw new Error('the child cannot be started')
      return good.evaluate(batch)
    },
  })
  await runUntil({ state, generation: { detectors: [detector] } }, [new ListSource('s', ['an evil x\n'])], 1)
  expect(state.committed[0]!.opened.map(({ eventCount, body }) => [eventCount, body.dedup])).toEqual([[1, ' x']])
})

test('a source that cannot be read delays no other, and continues in order once it can', async () => {
  const state = new MemoryState()
  const broken = new ListSource('broken', ['a\n', 'b\n'])
  const good = new ListSource('good', ['1\n', '2\n', '3\n'])
  const read = broken.read.bind(broken)
  const troubles: [string, string | undefined][] = []
  let isBroken = true
  Object.assign(broken, {
    read: async (extent: Extent) => {
      if (isBroken) throw new Error('input/output error')
      return read(extent)
    },
  })
  await runUntil(
    {
      state,
      onCommitted: ({ batch }) => {
        if (batch.sourceId === 'good' && batch.extent['at'] === 2) isBroken = false
      },
      onTrouble: (what, message) => troubles.push([what, message]),
    },
    [broken, good],
    5,
  )
  expect(state.log.filter((entry) => entry.startsWith('commit'))).toEqual([
    'commit good0',
    'commit good1',
    'commit good2',
    'commit broken0',
    'commit broken1',
  ])
  expect(troubles[0]).toEqual(['source/broken', expect.stringContaining('input/output error')])
  expect(troubles.at(-1)).toEqual(['source/broken', undefined])
})

test('a batch of a million characters of tiny records is written in pieces', async () => {
  const state = new MemoryState()
  await runUntil({ state }, [new ListSource('s', ['bad\n'.repeat(100_000)])], 1)
  const { rows, counts } = state.committed[0]!
  expect(rows.length).toBeGreaterThan(1)
  expect(rows.reduce((n, { count }) => n + count, 0)).toBe(100_000)
  expect(Math.max(...rows.map(({ rows: bytes }) => bytes.length))).toBeLessThan(9 * 1024 * 1024)
  expect(counts[0]).toMatchObject({ outcome: 'received', n: 100_000 })
})
