import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiKeys, keysSchema } from '../../config/keys.ts'
import { HttpError } from '../../util/http/send.ts'
import { buildTable } from './build.ts'
import { failedChecks } from './content-checks.ts'
import { defineTable } from './definition.ts'
import { TableKeeper } from './keeper.ts'
import type { ContentFileRef, TableState } from './keeper-types.ts'
import type { RefreshOutcome } from './outcomes.ts'
import type { TableQueryResult } from './provider.ts'
import { NoContentYet, type Table, TableError } from './table.ts'
import { diffContents } from './versions/diff.ts'
import { contentFile } from './versions/files.ts'
import { readHistory } from './versions/history.ts'

const MINUTE = 60_000
let folder: string
let world: World

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keeper-'))
  await writeFile(join(folder, 'shipped.txt'), '192.0.2.1\n')
  world = new World()
})
afterEach(async () => {
  await world.keeper?.stop()
  await rm(folder, { recursive: true })
})

/** A keeper's surroundings: a clock that is moved by hand, the provider's answers, and the tables in force in the pipeline. */
class World {
  nowMs = Date.parse('2024-03-12T02:00:00Z')
  timers: { at: number; run: () => void }[] = []
  states = new Map<string, TableState>()
  inForce = new Map<string, Table>()
  accepted: ContentFileRef[] = []
  answer: () => Response | Promise<Response> = () => new Response('192.0.2.2\n')
  asked: Headers[] = []
  /** Outcomes as rows for people. */
  outcomes: RefreshOutcome[] = []
  /** Versions that an alert names. */
  named = new Set<string>()
  /** Rows that a query finds. */
  found: () => Promise<TableQueryResult> = async () => ({ rows: [], truncated: false })
  keys: object = {}
  env: Record<string, string> = {}
  keeper: TableKeeper | undefined
  definition = define({ Filename: 'shipped.txt' })

  async start(): Promise<TableKeeper> {
    await this.keeper?.stop()
    this.timers = []
    this.inForce.clear()
    this.keeper = new TableKeeper({
      definitions: [this.definition],
      dataFolder: join(folder, 'data'),
      store: {
        load: async (name) => this.states.get(name),
        save: async (name, state, outcome) => {
          this.states.set(name, JSON.parse(JSON.stringify(state)))
          if (outcome) this.outcomes.push(outcome)
        },
      },
      changed: async () => {},
      accept: async (content) => {
        this.accepted.push(content)
        const { path, fileName, date } = content
        const table = await buildTable(this.definition, undefined, { bytes: await readFile(path), fileName, date })
        const failed = failedChecks(table, this.definition.checks, content.rowsBefore)
        if (failed.length > 0 && !content.passOver) throw new TableError(failed.join('; '))
        this.inForce.set(content.table, table)
        return {
          version: table.version,
          rows: table.size,
          skipped: table.skipped.count,
          ...(failed.length > 0 && { passedOver: failed }),
        }
      },
      send: async ({ headers }) => {
        this.asked.push(new Headers(headers))
        const response = await this.answer()
        return { status: response.status, headers: new Map(response.headers), body: new Uint8Array(await response.arrayBuffer()) }
      },
      runQuery: () => this.found(),
      keys: apiKeys(keysSchema.parse(this.keys), this.env),
      clock: {
        now: () => this.nowMs,
        after: (ms, run) => {
          const timer = { at: this.nowMs + ms, run }
          this.timers.push(timer)
          return () => this.timers.splice(this.timers.indexOf(timer), this.timers.includes(timer) ? 1 : 0)
        },
      },
      random: () => 0.5,
      namedVersions: async () => this.named,
      compare: async (_, { before, after }) => {
        const [old, now] = await Promise.all(
          [before, after].map(async ({ path, fileName }) => ({ bytes: await readFile(path), fileName })),
        )
        return (await diffContents({ definition: this.definition, schema: undefined }, old, now!)).counts
      },
      onError: (error) => {
        throw error
      },
    })
    await this.keeper.start()
    return this.keeper
  }

  /** Moves the clock to the next timer, runs it to its end, and returns the minutes that passed. */
  async next(): Promise<number> {
    const [timer] = this.timers.splice(0, 1)
    const minutes = (timer!.at - this.nowMs) / MINUTE
    this.nowMs = timer!.at
    timer!.run()
    await this.keeper!.settled()
    return minutes
  }

  /** The files of contents that are stored. */
  async stored(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => name.endsWith('.gz')).sort()
  }

  history() {
    return readHistory(this.folder)
  }

  /** Fetches this content. */
  async fetches(content: string): Promise<string> {
    this.answer = () => new Response(content)
    await this.next()
    return this.status.version!
  }

  get folder(): string {
    return join(folder, 'data', 'tables', 'x')
  }

  get status() {
    return this.keeper!.status()[0]!
  }

  has(key: string): boolean {
    return this.inForce.get('x')?.get(key) !== undefined
  }
}

function define(change: object) {
  const Provider = { type: 'url', url: 'http://lists.test/list.txt' }
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 'x',
    Provider,
    ContentDate: '2024-03-12',
    LogTypeMap: { PrimaryKey: 'ip' },
    ...change,
  }
  return defineTable(document, { file: join(folder, 'x.yml') })
}

test('shipped content is used until a refresh has succeeded, some minutes after the start', async () => {
  await world.start()
  expect(world.status).toMatchObject({ health: 'shipped', rows: 1, version: '2024-03-12-d1aa74fdddc0', ageSeconds: 7200 })
  expect(world.has('192.0.2.1')).toBe(true)
  expect(await world.next()).toBe(3)
  expect(world.status).toMatchObject({ health: 'ok', rows: 1, ageSeconds: 0, lastError: undefined })
  expect([world.has('192.0.2.1'), world.has('192.0.2.2')]).toEqual([false, true])
  expect(await world.next()).toBe(60)
})

test('a table without its key waits for it: no request, no retry before the period is over, and a message that says what to add', async () => {
  world.definition = define({ Provider: { type: 'url', url: 'https://lists.test/list.txt', auth: { key: 'lists' } } })
  await world.start()
  expect(await world.next()).toBe(3)
  expect(world.status).toMatchObject({ health: 'missing', isRefused: false })
  expect(world.status.lastError).toMatch(/needs the key 'lists': add `keys: .*LISTS_KEY.*"lists\.test"/)
  expect(await world.next()).toBe(60)
  expect(world.asked).toEqual([])
  world.keys = { lists: { value: { env: 'LISTS_KEY' }, hosts: ['lists.test'] } }
  await world.start()
  expect(world.status.health).toBe('missing')
  await world.next()
  expect(world.status.lastError).toMatch(/'lists' cannot be used: .*LISTS_KEY.* is not set/)
  world.env = { LISTS_KEY: 's3cr3t' }
  await world.start()
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
  expect(world.asked.map((headers) => headers.get('authorization'))).toEqual(['Bearer s3cr3t'])
  expect(JSON.stringify([...world.states, world.status])).not.toContain('s3cr3t')
})

test('old shipped content is stale once the first refresh has failed, and not before it was due', async () => {
  world.definition = define({ Filename: 'shipped.txt', ContentDate: '2023-01-01' })
  world.answer = () => Promise.reject(new HttpError('unreachable', 'nothing listens there'))
  await world.start()
  expect(world.status).toMatchObject({ health: 'shipped', rows: 1 })
  await world.next()
  expect(world.status).toMatchObject({ health: 'stale', rows: 1, isRefused: false })
})

test('the next start uses the last good content, and requests conditionally once its period is over', async () => {
  world.answer = () => new Response('192.0.2.2\n', { headers: { etag: '"v1"' } })
  await world.start()
  await world.next()
  world.nowMs += 20 * MINUTE
  await world.start()
  expect(world.has('192.0.2.2')).toBe(true)
  expect(world.status).toMatchObject({ health: 'ok', ageSeconds: 1200 })
  world.answer = () => new Response(null, { status: 304 })
  expect(await world.next()).toBe(40)
  expect(world.asked.at(-1)!.get('if-none-match')).toBe('"v1"')
  expect(world.status).toMatchObject({ health: 'ok', ageSeconds: 0 })
})

test('while shipped content is in force no request is conditional: a 304 would be about content that is gone', async () => {
  world.answer = () =>
    new Response('192.0.2.2\n', { headers: { etag: '"v1"', 'last-modified': 'Tue, 12 Mar 2024 00:00:00 GMT' } })
  await world.start()
  await world.next()
  await rm(join(folder, 'data'), { recursive: true })
  await world.start()
  expect([world.has('192.0.2.1'), world.has('192.0.2.2')]).toEqual([true, false])
  const full = world.answer
  world.answer = () => {
    const asked = world.asked.at(-1)!
    return asked.has('if-none-match') || asked.has('if-modified-since') ? new Response(null, { status: 304 }) : full()
  }
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
  expect(world.has('192.0.2.2')).toBe(true)
})

test('content that is truncated or lacks a required key is refused, and accepted once it is complete again', async () => {
  const list = (count: number) => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}\n`).join('')
  world.definition = define({ Filename: 'shipped.txt', Checks: { MustMatch: ['10.0.0.7'] } })
  world.answer = () => new Response(list(200))
  await world.start()
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', rows: 200 })
  for (const [content, error] of [
    [list(90), /from 200 rows to 90/],
    [list(2000), /from 200 rows to 2000/],
    [list(200).replace('10.0.0.7\n', ''), /lacks "10\.0\.0\.7"/],
  ] as const) {
    world.answer = () => new Response(content)
    await world.next()
    expect(world.status).toMatchObject({ rows: 200, isRefused: true, lastError: expect.stringMatching(error) })
  }
  world.answer = () => new Response(list(150))
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', rows: 150, isRefused: false, lastError: undefined })
})

describe('the last good content survives', () => {
  const answers: [what: string, answer: () => Response | Promise<Response>, error: RegExp][] = [
    ['404', () => new Response('no', { status: 404 }), /answered 404/],
    ['500', () => new Response('', { status: 500 }), /answered 500/],
    ['an empty body', () => new Response(''), /empty body/],
    ['an error page', () => new Response('<html>\n<body>\n'), /ip|no usable row|cannot tell/],
    [
      'a broken network',
      () => Promise.reject(new HttpError('unreachable', 'nothing listens there (ECONNREFUSED)')),
      /nothing listens there \(ECONNREFUSED\)/,
    ],
    ['binary', () => new Response(Uint8Array.from([0, 255, 254])), /not UTF-8/],
  ]
  test.each(answers)('%s', async (_, answer, error) => {
    world.definition = define({ Filename: 'shipped.txt', Match: 'ip' })
    await world.start()
    await world.next()
    world.answer = answer
    await world.next()
    expect(world.status).toMatchObject({ health: 'ok', rows: 1, ageSeconds: 3600, lastError: expect.stringMatching(error) })
    expect(world.has('192.0.2.2')).toBe(true)
    await world.start()
    expect(world.has('192.0.2.2')).toBe(true)
    expect(await world.stored()).toEqual([contentFile('2024-03-12-d1aa74fdddc0'), contentFile(world.status.version!)].sort())
  })
})

test('failed refreshes are retried after one, two, four … minutes up to the period, and the table becomes stale', async () => {
  await world.start()
  await world.next()
  world.answer = () => new Response('', { status: 503 })
  const waits = []
  for (let i = 0; i < 9; i++) waits.push(await world.next())
  expect(waits).toEqual([60, 1, 2, 4, 8, 16, 32, 60, 60])
  expect(world.status).toMatchObject({ health: 'stale', rows: 1 })
  world.answer = () => new Response('192.0.2.3\n')
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
  expect(await world.next()).toBe(60)
})

test('unchanged content does not become a new version, and old versions are removed', async () => {
  world.definition = define({ Filename: 'shipped.txt', Keep: { Versions: 3 } })
  await world.start()
  await world.next()
  await world.next()
  expect(world.accepted).toHaveLength(2)
  for (const last of [3, 4, 5, 6]) {
    world.answer = () => new Response(`192.0.2.${last}\n`)
    await world.next()
  }
  expect(await world.stored()).toHaveLength(3)
  expect(await world.stored()).toContain(contentFile(world.status.version!))
  const periods = await world.history()
  expect(periods.map(({ isGone = false }) => isGone)).toEqual([true, true, true, false, false, false])
  // Each was in force until the next one came.
  expect(periods.slice(0, -1).map(({ untilMs }) => untilMs)).toEqual(periods.slice(1).map(({ sinceMs }) => sinceMs))
  expect(periods.at(-1)).toMatchObject({ version: world.status.version, rows: 1, origin: 'fetched' })
})

test('stored content that was damaged or removed is replaced by the shipped content', async () => {
  await world.start()
  await world.next()
  await rm(join(folder, 'data', 'tables'), { recursive: true })
  await world.start()
  expect(world.has('192.0.2.1')).toBe(true)
  expect(world.status).toMatchObject({ health: 'shipped', lastError: expect.stringMatching(/stored content .* cannot be used/) })
  await world.next()
  expect(world.asked.at(-1)!.has('if-none-match')).toBe(false)
  expect(world.has('192.0.2.2')).toBe(true)
})

test('content from another URL is not used', async () => {
  await world.start()
  await world.next()
  world.definition = define({ Filename: 'shipped.txt', Provider: { type: 'url', url: 'http://lists.test/other.txt' } })
  await world.start()
  expect(world.status).toMatchObject({ health: 'shipped' })
})

test('a table without shipped content is missing until the first answer, and failing after a failure', async () => {
  world.definition = define({})
  world.answer = () => new Response('', { status: 500 })
  await world.start()
  expect(world.status).toMatchObject({ health: 'missing', rows: 0, version: undefined, ageSeconds: undefined })
  await world.next()
  expect(world.status).toMatchObject({ health: 'failing' })
  world.answer = () => new Response(null, { status: 304 })
  await world.next()
  expect(world.status.lastError).toMatch(/unchanged/)
})

test('a file is read at the start, reported as missing until it exists, and read again when it changes', async () => {
  world.definition = define({ Provider: { type: 'file', path: 'tables/list.txt', base: 'data_dir' } })
  await world.start()
  expect(world.status).toMatchObject({ health: 'missing', lastError: expect.stringMatching(/no file .*list\.txt yet/) })
  await mkdir(join(folder, 'data', 'tables'), { recursive: true })
  await writeFile(join(folder, 'data', 'tables', 'list.txt'), '192.0.2.7\n')
  expect(await world.next()).toBe(1)
  expect(world.status).toMatchObject({ health: 'ok', rows: 1 })
  await writeFile(join(folder, 'data', 'tables', 'list.txt'), '192.0.2.7\n192.0.2.8\n')
  await world.start()
  expect([world.has('192.0.2.8'), world.status.rows]).toEqual([true, 2])
})

test('a table that is only a file next to its definition is static and has no timer', async () => {
  world.definition = define({ Provider: undefined, Filename: 'shipped.txt' })
  await world.start()
  expect(world.status).toMatchObject({ health: 'static', provider: 'shipped.txt', rows: 1, nextRefreshMs: undefined })
  expect(world.timers).toEqual([])
})

test('a refresh can be requested, and an unknown table is refused with a list of the known ones', async () => {
  const keeper = await world.start()
  expect(await keeper.refresh('x')).toMatchObject({ health: 'ok' })
  expect(world.timers).toHaveLength(1)
  await expect(keeper.refresh('y')).rejects.toThrow(/no table 'y'. Known: x/)
})

test('stopping ends a refresh under way without counting a failure', async () => {
  const keeper = await world.start()
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  world.answer = () => {
    asked()
    return new Promise((_, reject) => setImmediate(() => reject(new Error('aborted'))))
  }
  const refresh = keeper.refresh('x')
  await isAsked
  await keeper.stop()
  await refresh
  expect(world.states.get('x')?.failures).toBeUndefined()
  expect(world.outcomes.map(({ outcome }) => outcome)).toEqual(['swapped'])
})

test('a table that could not start because the state failed starts with the next update', async () => {
  const keeper = await world.start()
  const other = define({ Filename: 'shipped.txt', Description: 'changed' })
  world.definition = other
  const { states } = world
  world.states = new (class extends Map<string, TableState> {
    override get(): never {
      throw new Error('the disk is full')
    }
  })()
  await expect(keeper.update([other])).rejects.toThrow('the disk is full')
  world.states = states
  world.inForce.clear()
  await keeper.update([other])
  expect(world.has('192.0.2.1')).toBe(true)
  expect(world.status).toMatchObject({ name: 'x', rows: 1 })
})

test('a version that an alert names is kept, and so is the one in force, however small the limit', async () => {
  world.definition = define({ Filename: 'shipped.txt', Keep: { Versions: 1, MaxBytes: 1 } })
  await world.start()
  const first = await world.fetches('192.0.2.2\n')
  world.named.add(first)
  const second = await world.fetches('192.0.2.3\n')
  const third = await world.fetches('192.0.2.4\n')
  expect(await world.stored()).toEqual([first, third].map(contentFile).sort())
  world.named.clear()
  const fourth = await world.fetches('192.0.2.5\n')
  expect(await world.stored()).toEqual([contentFile(fourth)])
  expect((await world.history()).filter(({ isGone }) => !isGone).map(({ version }) => version)).toEqual([fourth])
  expect(second).not.toBe(third)
})

test('content that comes back is the same file again', async () => {
  world.definition = define({ Keep: { Versions: 2 } })
  await world.start()
  const first = await world.fetches('192.0.2.2\n')
  await world.fetches('192.0.2.3\n')
  await world.fetches('192.0.2.4\n')
  expect(await world.stored()).not.toContain(contentFile(first))
  expect(await world.fetches('192.0.2.2\n')).toBe(first)
  expect((await world.history()).map(({ isGone = false }) => isGone)).toEqual([false, true, false, false])
})

test('a file that is never refreshed keeps its versions as it changes', async () => {
  world.definition = define({ Provider: undefined, Filename: 'shipped.txt', ContentDate: undefined })
  await world.start()
  world.nowMs += MINUTE
  await world.start()
  const [first] = await world.history()
  await writeFile(join(folder, 'shipped.txt'), '192.0.2.1\n192.0.2.9\n')
  world.nowMs += MINUTE
  await world.keeper!.refresh('x')
  expect(await world.history()).toEqual([
    { ...first, origin: 'shipped', rows: 1, untilMs: world.nowMs },
    expect.objectContaining({ version: world.status.version, rows: 2, sinceMs: world.nowMs, fileName: 'shipped.txt' }),
  ])
  expect(gunzipSync(await readFile(join(world.folder, contentFile(first!.version)))).toString()).toBe('192.0.2.1\n')
})

test('versions of a data folder from before there was a list are carried over', async () => {
  await world.start()
  const version = await world.fetches('192.0.2.2\n')
  await rm(world.folder, { recursive: true })
  await mkdir(world.folder, { recursive: true })
  const older = '2024-03-01-000000000000'
  for (const [name, content, at] of [
    [version, '192.0.2.2\n', '2024-03-12T02:00:00Z'],
    [older, '192.0.2.99\n', '2024-03-01T02:00:00Z'],
  ] as const) {
    await writeFile(join(world.folder, `${name}.content`), content)
    await utimes(join(world.folder, `${name}.content`), new Date(at), new Date(at))
  }
  await world.start()
  expect(world.status).toMatchObject({ health: 'ok', version, rows: 1 })
  const at = Date.parse('2024-03-12T02:00:00Z')
  expect(await world.history()).toMatchObject([
    { version: older, sinceMs: Date.parse('2024-03-01T02:00:00Z'), untilMs: at },
    { version, sinceMs: at },
  ])
  expect((await readdir(world.folder)).sort()).toEqual([contentFile(older), contentFile(version), 'versions.json'].sort())
})

test('a crash between a version and the state leaves a version that is used until the next refresh', async () => {
  await world.start()
  await world.fetches('192.0.2.2\n')
  const before = world.states.get('x')!
  const lost = await world.fetches('192.0.2.3\n')
  world.states.set('x', before)
  await world.start()
  expect(world.status.version).toBe(before.version)
  expect((await world.history()).at(-1)?.version).toBe(before.version)
  expect(await world.fetches('192.0.2.3\n')).toBe(lost)
  expect((await world.history()).at(-1)?.version).toBe(lost)
})

test('a damaged list of versions is begun again', async () => {
  await world.start()
  const version = await world.fetches('192.0.2.2\n')
  await writeFile(join(world.folder, 'versions.json'), '{"versions":[{}')
  await world.start()
  expect(world.has('192.0.2.2')).toBe(true)
  expect(await world.history()).toMatchObject([{ version }])
})

const LIST = Array.from({ length: 200 }, (_, i) => `10.0.0.${i}\n`).join('')

test('content that failed a check is accepted once on request, which says what it did not pass, and stays after a restart', async () => {
  world.definition = define({ Filename: 'shipped.txt', Checks: { MustMatch: ['10.0.0.7'] } })
  const dated = (content: string, modified: string) => () => new Response(content, { headers: { 'last-modified': modified } })
  world.answer = dated(LIST, 'Tue, 12 Mar 2024 00:00:00 GMT')
  await world.start()
  await world.next()
  world.answer = dated('10.0.0.1\n', 'Tue, 05 Mar 2024 00:00:00 GMT')
  await world.next()
  expect(world.status).toMatchObject({ rows: 200, isRefused: true, lastError: expect.stringContaining('old copy') })
  const accepted = await world.keeper!.refresh('x', { accept: true })
  expect(accepted).toMatchObject({ rows: 1, isRefused: false, lastError: undefined })
  const { outcomes, versions } = world.keeper!.historyOf('x')
  const passedOver = [/2024-03-05.*old copy/, /from 200 rows to 1/, /lacks "10\.0\.0\.7"/].map((one) =>
    expect.stringMatching(one),
  )
  expect(outcomes.at(-1)).toMatchObject({ outcome: 'swapped', passedOver })
  expect(versions.at(-1)).toMatchObject({ passedOver })
  await world.start()
  expect(world.status).toMatchObject({ health: 'ok', rows: 1 })
  // Only that time.
  world.answer = () => new Response('10.0.0.2\n')
  await world.next()
  expect(world.status).toMatchObject({ rows: 1, isRefused: true })
})

test('a table that is never fetched has nothing to accept', async () => {
  world.definition = define({ Provider: undefined, Filename: 'shipped.txt' })
  const keeper = await world.start()
  await expect(keeper.refresh('x', { accept: true })).rejects.toThrow(/change its Checks/)
})

test('every outcome of a refresh is a row, except that equal ones in a row are counted', async () => {
  world.definition = define({ Filename: 'shipped.txt', Match: 'ip' })
  await world.start()
  await world.fetches('192.0.2.1\n192.0.2.2\n')
  await world.next()
  await world.next()
  world.answer = () => new Response('', { status: 503 })
  await world.next()
  await world.next()
  world.answer = () => new Response('<html>')
  await world.next()
  await world.fetches('192.0.2.2\n192.0.2.3\n')
  const said = world.outcomes.map(({ outcome, changes, rows }) => [outcome, changes?.added, changes?.removed, rows])
  expect(said).toEqual([
    ['swapped', undefined, undefined, 1],
    ['swapped', 1, 0, 2],
    ['unchanged', undefined, undefined, undefined],
    ['failed', undefined, undefined, undefined],
    ['refused', undefined, undefined, undefined],
    ['swapped', 1, 1, 2],
  ])
  expect(world.keeper!.historyOf('x').outcomes.map(({ times }) => times)).toEqual([1, 1, 2, 2, 1, 1])
  expect((await world.history()).map(({ changes }) => changes?.added)).toEqual([undefined, 1, 1])
})

test('a swap whose comparison the end of the program cut off is a row after the next start', async () => {
  await world.start()
  const version = await world.fetches('192.0.2.7\n')
  const state = world.states.get('x')!
  const outcomes = state.outcomes!.map((one) => (one.version === version ? { ...one, isPending: true as const } : one))
  world.states.set('x', { ...state, outcomes })
  world.outcomes = []
  await world.start()
  expect(world.outcomes).toMatchObject([{ outcome: 'swapped', version }])
  await world.start()
  expect(world.outcomes).toHaveLength(1)
})

test('content that compresses by more than any list is read back all the same', async () => {
  world.answer = () => new Response('192.0.2.2\n'.repeat(300_000))
  await world.start()
  await world.next()
  await world.start()
  expect(world.has('192.0.2.2')).toBe(true)
  expect(world.status).toMatchObject({ health: 'ok', lastError: undefined })
})

test('a table is stale once its content is older than AlarmPeriodMinutes, and not before', async () => {
  world.definition = define({ Filename: 'shipped.txt', Refresh: { PeriodMinutes: 60, AlarmPeriodMinutes: 61 } })
  await world.start()
  await world.next()
  world.answer = () => new Response('', { status: 503 })
  await world.next()
  expect(world.status).toMatchObject({ health: 'ok', ageSeconds: 3600 })
  world.nowMs += 2 * MINUTE
  expect(world.status).toMatchObject({ health: 'stale', isRefused: false })
})

describe('a table that a query fills', () => {
  const Provider = { type: 'query', sql: 'SELECT ip FROM panther_logs.public.custom_login', max_rows: 3 }
  const finds = (...all: string[]) => {
    world.found = async () => ({ rows: all.map((ip) => ({ ip })), truncated: all.length > 3 })
  }
  const query = (change: object = {}) => define({ ContentDate: undefined, Provider, ...change })

  test('is missing, without a failure, until the query can run and finds rows; then the rows are in force', async () => {
    world.definition = query()
    world.found = () => Promise.reject(new NoContentYet('the query waits for log types: Custom.Login'))
    await world.start()
    expect(await world.next()).toBeCloseTo(1 / 6)
    expect(world.status).toMatchObject({
      health: 'missing',
      isRefused: false,
      lastError: expect.stringContaining('Custom.Login'),
    })
    finds()
    expect(await world.next()).toBe(1)
    expect(world.status).toMatchObject({ health: 'missing', isRefused: false })
    expect(world.status.lastError).toMatch(/there are no rows, fewer than MinRows \(1\)/)
    finds('192.0.2.2')
    expect(await world.next()).toBe(2)
    expect(world.status).toMatchObject({ health: 'ok', rows: 1, provider: 'query' })
    expect(world.has('192.0.2.2')).toBe(true)
    expect(await world.next()).toBe(60)
  })

  test.each<[string, () => void, boolean, RegExp]>([
    ['fails', () => (world.found = () => Promise.reject(new TableError('the query failed: no such function'))), false, /no such/],
    ['finds nothing any more', () => finds(), true, /no rows, fewer than MinRows \(1\)/],
    ['finds too much', () => finds('1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'), false, /more than 3 rows \(max_rows\)/],
  ])('keeps its rows when the query %s', async (_, change, isRefused, message) => {
    world.definition = query()
    finds('192.0.2.2')
    await world.start()
    await world.next()
    change()
    await world.next()
    expect(world.status).toMatchObject({ health: 'ok', rows: 1, isRefused, lastError: expect.stringMatching(message) })
    world.nowMs += 200 * MINUTE
    expect(world.status.health).toBe('stale')
    expect(world.has('192.0.2.2')).toBe(true)
  })

  test('without rows is an empty table if MinRows is 0', async () => {
    world.definition = query({ Checks: { MinRows: 0 } })
    finds('192.0.2.2')
    await world.start()
    await world.next()
    finds()
    await world.next()
    expect(world.status).toMatchObject({ health: 'ok', rows: 0, lastError: undefined })
  })

  test('keeps its version when only the order of its rows differs, unless the query orders them', async () => {
    const versions = async (sql: string) => {
      world.definition = query({ Provider: { ...Provider, sql } })
      finds('192.0.2.2', '192.0.2.3')
      await world.start()
      await world.next()
      finds('192.0.2.3', '192.0.2.2')
      const before = world.status.version
      await world.next()
      return before === world.status.version
    }
    expect(await versions(Provider.sql)).toBe(true)
    expect(await versions(`${Provider.sql} ORDER BY ip`)).toBe(false)
  })
})

test('a cron expression decides when a table is refreshed, also after a start that missed one; failures are retried before', async () => {
  world.definition = define({ Refresh: { CronExpression: '0 6 * * *' } })
  await world.start()
  await world.next()
  expect(await world.next()).toBe(237)
  expect(new Date(world.nowMs).toISOString()).toBe('2024-03-12T06:00:00.000Z')
  world.nowMs += 60 * MINUTE
  await world.start()
  expect(await world.next()).toBe(23 * 60)
  world.nowMs += 25 * 60 * MINUTE
  await world.start()
  world.answer = () => new Response('', { status: 500 })
  expect(await world.next()).toBe(3)
  expect(await world.next()).toBe(1)
})
