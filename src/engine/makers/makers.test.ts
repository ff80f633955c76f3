import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Body, CONTENT, outcomeOf, prepare, SITES, type Started, send, startPipeline } from './makers.fixture.ts'

/** The same bodies through a pipeline that makes its batches itself, and through one with four makers. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-makers-'))
let both: readonly Started[] = []

beforeAll(async () => {
  for (const config of prepare(folder, [1, 4])) both = [...both, await startPipeline(config)]
}, 100_000)

afterAll(async () => {
  for (const { pipeline, close } of both) {
    await pipeline.call('stop')
    await close()
  }
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const START_MS = Date.now() - 600_000
let sentMs = START_MS

const login = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .record({
        user: fc.constantFrom('ann', 'bob', 'eve'),
        ok: fc.boolean(),
        ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', ''),
        more: fc.option(fc.integer(), { nil: undefined }),
      })
      .map((record) => (at: number) => JSON.stringify({ at, ...record })),
  },
  { weight: 1, arbitrary: fc.constantFrom('{"broken', '{"user":"ann"}', '[]').map((text) => () => text) },
)
const logins = fc
  .record({ source: fc.constantFrom(...SITES), lines: fc.array(login, { minLength: 1, maxLength: 60 }) })
  .map(({ source, lines }) => ({ source, text: (at: number) => lines.map((line, i) => line(at + i)).join('\n') }))

/** Logs with the same path whose headers disagree about their fields. */
const header = fc
  .record({ type: fc.constantFrom('string', 'count', 'addr'), rows: fc.integer({ min: 1, max: 3 }) })
  .map(({ type, rows }) => ({
    source: 'sensor',
    text: (at: number) =>
      `#separator \\x09\n#path\tcustom_odd\n#fields\tts\tvalue\n#types\ttime\t${type}\n${`${at / 1000}\t1\n`.repeat(rows)}`,
  }))

const bodies = fc.array(fc.oneof({ weight: 5, arbitrary: logins }, { weight: 1, arbitrary: header }), {
  minLength: 1,
  maxLength: 25,
})

function dated(made: readonly { readonly source: string; readonly text: (at: number) => string }[]): Body[] {
  return made.map(({ source, text }) => {
    sentMs += 1000
    return { source, text: text(sentMs), receivedMs: sentMs }
  })
}

type Outcome = Awaited<ReturnType<typeof outcomeOf>>

async function bothGive() {
  const [one, four] = await Promise.all(both.map(outcomeOf))
  const lines = ({ lakeRows, ...state }: Outcome) =>
    Object.entries({ ...lakeRows, ...state }).flatMap(([what, all]) => all.map((line) => `${what}: ${line}`))
  const [here, there] = [lines(one!), lines(four!)]
  const [known, made] = [new Set(here), new Set(there)]
  const differences = [
    ...here.filter((line) => !made.has(line)).map((line) => `only here: ${line}`),
    ...there.filter((line) => !known.has(line)).map((line) => `only in makers: ${line}`),
  ]
  expect(differences.slice(0, 5)).toEqual([])
  expect(there.length).toBe(here.length)
  return one!
}

test('four makers produce the same results as one thread: rows and their ids, matches, alerts, dead letters, counts, the rules’ cache', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(bodies, async (made) => {
      const sent = dated(made)
      await Promise.all(both.map((each) => send(each, sent)))
      // All rows are compared each time, so not after every run.
      if (++runs % 3 === 0) await bothGive()
    }),
    { numRuns: Number(process.env['MAKERS_RUNS'] ?? 12), endOnFailure: true },
  )
  const { lakeRows, alerts, cache } = await bothGive()
  const rules = (table: string) => new Set(lakeRows[table]!.map((row) => (JSON.parse(row) as string[]).join(' ')))
  expect(rules('signals.correlation_signals').size).toBeGreaterThan(0)
  const alerting = new Set(alerts.map((row) => (JSON.parse(row) as { rule_id: string }).rule_id))
  expect([...alerting].sort()).toEqual(['Asked', 'Broken', 'Guessed', 'Known', 'Often', 'Spray'])
  expect(cache.length).toBeGreaterThan(3)
}, 300_000)

/** The first bodies of many, so that makers have several batches in progress. */
const some = () => dated(fc.sample(fc.array(logins, { minLength: 12, maxLength: 12 }), 1)[0]!)

test('makers follow changes of rules, schemas and tables, and rules keep their memory', async () => {
  const first = some()
  for (const each of both) await send(each, first)
  await bothGive()
  const write = (name: string, text: string) => writeFileSync(join(folder, 'content', name), text)
  write('failed.py', `${CONTENT['failed.py']}\n\ndef title(event):\n    return "other"\n`)
  write('often.py', CONTENT['often.py']!.replace('% 3', '% 2'))
  write('login.schema.yml', `${CONTENT['login.schema.yml']}  - { name: more, type: bigint }\n`)
  write('hosts.csv', 'ip,bad\n10.0.0.3,yes\n')
  for (const { pipeline, put } of both) {
    expect(await pipeline.call('buildContent')).toMatchObject({ kind: 'built' })
    await pipeline.call('swapContent')
    await put()
  }
  const second = some()
  for (const each of both) await send(each, second)
  const { lakeRows, cache } = await bothGive()
  const rows = lakeRows['signals.correlation_signals']!
  expect(rows.some((row) => row.includes('"other"'))).toBe(true)
  expect(rows.some((row) => row.includes('"Known"') && row.includes('10.0.0.3'))).toBe(true)
  expect(cache.length).toBeGreaterThan(0)
}, 240_000)

/** Each is a separate batch, since two would be too large for one: many events and a single one alternate. */
function unevenBodies(): Body[] {
  const record = (at: number, more: object) => JSON.stringify({ at, user: 'ann', ok: false, ip: '10.0.0.9', ...more })
  return dated(
    Array.from({ length: 10 }, (_, n) => ({
      source: 'north',
      text: (at: number) =>
        n % 2 === 0
          ? Array.from({ length: 2000 }, (_, i) => record(at + (i % 900), { pad: 'x'.repeat(240) })).join('\n')
          : record(at, { pad: 'x'.repeat(600_000) }),
    })),
  )
}

test('rules that remember see batches in order, even if a later one is made faster', async () => {
  const sent = unevenBodies()
  await Promise.all(both.map((each) => send(each, sent)))
  const { lakeRows } = await bothGive()
  const often = lakeRows['signals.correlation_signals']!.filter((row) => row.includes('"Often"'))
  expect(often.length).toBeGreaterThan(3000)
}, 240_000)

/** Processes that threads of this process have started, except this thread: those of the makers. */
function childrenOfMakers(): number[] {
  const tasks = readdirSync('/proc/self/task').filter((task) => Number(task) !== process.pid)
  return tasks.flatMap((task) => {
    const children = readFileSync(`/proc/self/task/${task}/children`, 'utf8')
    return children.split(' ').filter(Boolean).map(Number)
  })
}

test('makers whose rule processes are killed lose and repeat nothing', async () => {
  for (let kill = 0; kill < 3; kill++) {
    const sent = some()
    const [one, four] = both
    await send(one!, sent)
    const sending = send(four!, sent)
    const children = childrenOfMakers()
    expect(children.length).toBe(4)
    for (const pid of children) process.kill(pid, 'SIGKILL')
    await sending
    await bothGive()
  }
}, 240_000)

test('a stop while makers work ends everything, and the next start makes the remaining batches', async () => {
  const [one, four] = both
  const sent = some()
  await send(one!, sent)
  await send(four!, sent)
  await four!.pipeline.call('stop')
  await four!.close()
  expect(childrenOfMakers()).toEqual([])
  both = [one!, await startPipeline(four!.config)]
  await bothGive()
}, 240_000)
