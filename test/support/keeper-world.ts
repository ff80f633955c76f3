import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { apiKeys, keysSchema } from '../../src/config/keys.ts'
import { buildTable } from '../../src/stages/enrich/build.ts'
import { failedChecks } from '../../src/stages/enrich/content-checks.ts'
import { defineTable } from '../../src/stages/enrich/definition.ts'
import { TableKeeper } from '../../src/stages/enrich/keeper.ts'
import type { ContentFileRef, TableState } from '../../src/stages/enrich/keeper-types.ts'
import type { RefreshOutcome } from '../../src/stages/enrich/outcomes.ts'
import type { TableQueryResult } from '../../src/stages/enrich/provider.ts'
import { type Table, TableError } from '../../src/stages/enrich/table.ts'
import { diffContents } from '../../src/stages/enrich/versions/diff.ts'
import { readHistory } from '../../src/stages/enrich/versions/history.ts'

export const MINUTE = 60_000
export let folder: string
export let world: World

/** Importing this file gives each test a folder and a world of its own. */
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
export class World {
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

export function define(change: object) {
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
