import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, configSchema } from '../../src/config/config.ts'
import { httpSettings } from '../../src/config/http.ts'
import { nodeName } from '../../src/config/node.ts'
import { openAccounts } from '../../src/engine/accounts/accounts.ts'
import { atDesk, type Desk, type DeskAsk } from '../../src/engine/alert-desk.ts'
import type { FinishedBackup } from '../../src/engine/backup/backups.ts'
import { destinationKinds } from '../../src/engine/destination-kinds.ts'
import type { ContentChange, Engine, Health, ReloadedContent, SourceView, TableView } from '../../src/engine/engine.ts'
import { NewsBoard } from '../../src/engine/news/news-board.ts'
import { QueryJobs } from '../../src/engine/queries/jobs.ts'
import type { RuleState } from '../../src/engine/rule-states.ts'
import type { AlertBody, AlertWindow } from '../../src/model/alert.ts'
import type { AuditEntry } from '../../src/model/audit.ts'
import type { Deletion, DeletionAsk } from '../../src/model/deletion.ts'
import { EMPTY_REPORT, type Replay, type ReplayAsk } from '../../src/model/replay.ts'
import { defineTable } from '../../src/stages/enrich/definition.ts'
import type { RefreshOutcome } from '../../src/stages/enrich/outcomes.ts'
import { periodNamed, type VersionPeriod } from '../../src/stages/enrich/versions/history.ts'
import type { QueryOptions, QueryResult } from '../../src/stages/store/lake.ts'
import { saveWindows } from '../../src/state/alerts.ts'
import { type ContentRecord, recordContent } from '../../src/state/content-history.ts'
import { openState } from '../../src/state/db.ts'
import { saveDeliveries, saveDeliveryResults } from '../../src/state/deliveries.ts'
import { stateReader } from '../../src/state/read.ts'
import { changeTokens } from '../../src/state/tokens.ts'
import { changeUserRows } from '../../src/state/user-rows.ts'
import { ConfigError } from '../../src/util/errors.ts'
import { ForwardedHeaders } from '../../src/util/http/forwarded.ts'
import { createHttp } from '../../src/util/http/http.ts'
import { fakeRetention } from './fake-retention.ts'

export const TOKEN = 'the-token-of-these-tests'
/** The key of the state. */
export const KEY = 'a-key-of-these-tests-that-is-long-enough-00'

export interface Query {
  readonly sql: string
  readonly options: QueryOptions & { readonly fresh?: boolean }
}

export interface FakeEngine extends Engine {
  /** Where news are published. */
  readonly board: NewsBoard
  /** The arguments of `query`. */
  readonly queries: Query[]
  /** What was recorded. */
  readonly audited: AuditEntry[]
  /** The arguments of `removeSource`. */
  readonly removed: string[]
  /** The arguments of `addReplay`. */
  readonly replaysNow: Replay[]
  answer: (query: Query) => Promise<QueryResult>
  healthNow: Health
  content: Engine['content']
  /** The result of a reload. */
  reloaded: ContentChange
  /** The originators of reloads. */
  readonly reloads: (readonly [cause: string, actor: string | undefined])[]
  undo: Engine['undoContent']
  /** The outcome of a backup. */
  backedUp: (finished: FinishedBackup) => Promise<FinishedBackup>
  pulls: ReloadedContent['pulls']
  /** Records content that was in force, as the pipeline does. */
  record(content: ContentRecord): Promise<void>
  /** Inserts an alert into state. */
  addAlert(alert: Partial<AlertWindow>, body?: Partial<AlertBody>): Promise<void>
  /** Inserts a delivery into state; with an error, one that was refused permanently. */
  addDelivery(alertId: string, destination: string, error?: string): Promise<void>
  dispose(): Promise<void>
}

function deletionOf({ value: _, ...ask }: DeletionAsk): Omit<Deletion, 'id'> {
  const found = { rows: { 'logs.a': 2 }, held: [], remaining: [], backups: ['/backup'] }
  return { ...ask, ...found, sha256: 'f00d', salt: '5a17', state: 'done', message: undefined, startedMs: 1000, finishedMs: 2000 }
}

/** An engine without threads, tables and lake, over a real state database in its own folder. */
export async function fakeEngine(config: Partial<Config> = {}): Promise<FakeEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-surface-'))
  const state = await openState(folder)
  const queries: Query[] = []
  const removed: string[] = []
  const jobs = new QueryJobs({
    folder: join(folder, 'queries'),
    query: (sql, options) => engine.query(sql, options),
    lake: { toParquet: (_, __, to) => writeFile(to, 'PAR1') },
    limits: { resultHours: 1, historyDays: 1, maxResultBytes: 1e8, atOnce: 2 },
    now: Date.now,
    log: { warn: () => {} },
  })
  await jobs.start()
  const deletions = new Map<string, Deletion>()
  const reloads: [string, string | undefined][] = []
  const whole = { ...configSchema.parse({}), data_dir: folder, ...config }
  const http = createHttp(httpSettings(whole.http, {}))
  const { accounts, tokens } = await openAccounts({
    ...{ config: whole, state, machine: TOKEN, now: Date.now },
    ...{ send: http.configured, clientSecret: 'the-secret-of-the-client' },
    secret: KEY,
    ask: (ask) => changeUserRows(state, ask),
    askTokens: (ask) => changeTokens(state, ask, Date.now()),
  })
  const board = new NewsBoard(Date.now)
  const engine: FakeEngine = {
    config: whole,
    accounts,
    tokens,
    forwardedHeaders: new ForwardedHeaders(KEY, nodeName(whole)),
    audited: [],
    audit: async (entry) => {
      engine.audited.push(entry)
    },
    board,
    news: board.subscribe,
    isDemo: false,
    read: stateReader(state),
    content: CONTENT,
    generation: '00112233aabbccdd',
    reloadContent: async (cause, actor) => {
      reloads.push([cause, actor])
      return { ...engine.reloaded, pulls: engine.pulls }
    },
    authoring: new Proxy({} as Engine['authoring'], {
      get(_, name) {
        if (name === 'tables')
          return { editing: async () => ({ readOnly: 'nothing is written here', isCopied: false, columns: [] }) }
        throw new Error('nothing is written here')
      },
    }),
    settings: new Proxy({} as Engine['settings'], {
      get() {
        throw new Error('nothing is written here')
      },
    }),
    ruleText: async (ruleId) => {
      if (ruleId !== CONTENT.rules[0]!.id) throw new ConfigError(`there is no rule '${ruleId}'`)
      return { root: 'content', path: 'tor.yml', yaml: 'RuleID: Tor\n', code: undefined, revision: '00', readOnly: undefined }
    },
    undoContent: (name, actor) => engine.undo(name, actor),
    undo: async () => ({ ...engine.reloaded, number: 1 }),
    reloads,
    pulls: [],
    reloaded: { outcome: 'unchanged', generation: '00112233aabbccdd', summary: 'nothing changed', pauseMs: 0, problems: [] },
    queries,
    removed,
    answer: async () => ({ columns: [], rows: [], truncated: false, ms: 1 }),
    healthNow: { status: 'ok', problems: [], systemProblems: [], notices: [] },
    intakes: new Map([
      [
        'default',
        {
          handle: async (request: Request) => Response.json({ taken: await request.text() }, { status: 202 }),
          close: async () => {},
        },
      ],
    ]),
    query(sql, options = {}) {
      queries.push({ sql, options })
      return engine.answer({ sql, options })
    },
    jobs: (owner) => jobs.of(owner),
    searches: async () => [],
    judgeSearch: async (name) => {
      throw new ConfigError(`there is no query '${name}'`)
    },
    dashboards: () => [],
    panelQuery: async () => undefined,
    desk: ((ask: DeskAsk) => {
      const routing = { routes: [], baseUrl: 'http://127.0.0.1:4848' }
      return atDesk(ask, { db: state, routing, rules: new Map(), now: () => 2_000_000 })
    }) as Desk,
    ruleStates: (rules) => rules.map(({ id }) => ({ ...RULE_STATE, ruleId: id })),
    destinationKinds,
    testDestination: async (id) => {
      throw new ConfigError(`there is no destination '${id}'`)
    },
    sources: async () => SOURCES,
    tables: async () => TABLES,
    async refreshTable(name, { accept = false } = {}) {
      const table = TABLES.find((one) => one.name === name)
      if (!table) throw new ConfigError(`there is no table '${name}'. Known: ${TABLES.map((one) => one.name).join(', ')}`)
      const passedOver = accept ? ['the content is an old copy'] : []
      return { ...table, state: 'ok', problem: undefined, contentProblems: engine.reloaded.problems, passedOver }
    },
    tableHistory: async (name) => {
      if (name !== TABLES[0]!.name) throw new ConfigError(`there is no table '${name}'. Known: ${TABLES[0]!.name}`)
      const document = {
        AnalysisType: 'lookup_table',
        LookupName: name,
        Filename: 'tor.csv',
        Description: 'Exit nodes',
        LogTypeMap: { PrimaryKey: 'ip' },
      }
      return { definition: defineTable(document, { file: '/packs/tor.yml' }), versions: VERSIONS, outcomes: OUTCOMES }
    },
    tableRow: async (name, key, asOf) => {
      await engine.tableHistory(name)
      if (key[0] === 'unwritten') return { version: '-', sinceMs: 0, row: null }
      const { version, sinceMs } = periodNamed(name, VERSIONS, asOf ?? 'now')
      return { version, sinceMs, row: key[0] === '192.0.2.1' ? { ip: key[0], seen: 9_007_199_254_740_993n } : null }
    },
    tableDiff: async (name, { before, after }, limit) => {
      await engine.tableHistory(name)
      const changed = [{ key: '192.0.2.3', before: { score: 1, name: 'x' }, after: { score: 9, name: 'x' } }]
      const added = [{ key: '192.0.2.1', before: null, after: { score: 1 } }].slice(0, limit)
      return {
        before: periodNamed(name, VERSIONS, before),
        after: periodNamed(name, VERSIONS, after),
        counts: { added: 2, removed: 0, changed: 1, worsened: 1 },
        keys: { added, removed: [], changed, worsened: changed },
      }
    },
    health: async () => engine.healthNow,
    metrics: async () => 'caracal_spool_bytes 0\n',
    async record(content) {
      await recordContent(state, content)
    },
    async removeSource(id) {
      removed.push(id)
    },
    deleteValue: async (ask) => {
      const id = 'd1'
      deletions.set(id, { ...deletionOf(ask), id })
      return deletions.get(id)!
    },
    deletion: async (id) => deletions.get(id),
    ...fakeRetention(),
    backUp: async (folder) => {
      const progress = { files: 3, bytes: 1_234_567 }
      const done = engine.backedUp({ ...progress, folder, createdMs: 1_000_000, pauseMs: 12, token: true })
      done.catch(() => {})
      return { progress: () => progress, done }
    },
    backedUp: async (finished) => finished,
    settled: async () => {},
    replays: async () => engine.replaysNow,
    async addReplay(ask) {
      const replay = { ...REPLAY, id: `0${engine.replaysNow.length}`, ask }
      engine.replaysNow.push(replay)
      return replay
    },
    async addBacktest({ after, before, ...range }) {
      const names = { after: Object.keys(after).join(), ...(before && { before: Object.keys(before).join() }) }
      const ask: ReplayAsk = { kind: 'backtest', dryRun: true, deliver: false, logTypes: [], rules: [], ...range, ...names }
      return engine.addReplay(ask)
    },
    cancelReplay: async (id) => {
      const replay = engine.replaysNow.find((one) => one.id === id)
      return replay && { ...replay, state: 'cancelled', endedMs: 2_000_000 }
    },
    bundle: async () => {
      throw new Error('nothing is bundled here')
    },
    explain: async () => {
      throw new Error('nothing is explained here')
    },
    replaysNow: [],
    onAlert: () => {},
    failed: new Promise(() => {}),
    stop: async () => {},
    addAlert: async (alert, body) => void (await state.transaction().execute((tx) => saveWindows(tx, [windowWith(alert, body)]))),
    async addDelivery(alertId, destination, error) {
      const deliveryId = `${alertId}-${destination}`
      const delivery = { deliveryId, alertId, destination, body: '{}', createdMs: 1_000_000 }
      await state.transaction().execute((tx) => saveDeliveries(tx, [delivery]))
      const result = { deliveryId, tries: 1, nowMs: 1_000_500 }
      await saveDeliveryResults(state, [
        error === undefined ? { ...result, kind: 'delivered' } : { ...result, kind: 'dead', error },
      ])
    },
    async dispose() {
      await jobs.stop()
      await http.close()
      await state.destroy()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return engine
}

/** An id whose first digits are those of `n`. */
export function alertId(n: number): string {
  return n.toString(16).padStart(4, '0').padEnd(32, '0')
}

function windowWith(alert: Partial<AlertWindow>, body: Partial<AlertBody> = {}): AlertWindow {
  const id = alert.alertId ?? alertId(1)
  return {
    alertId: id,
    ruleId: 'Tor.SSH.Login',
    groupKey: `group-${id}`,
    startMs: 1_000_000,
    endMs: 4_600_000,
    opened: true,
    severity: 'CRITICAL',
    eventCount: 3,
    createdMs: 1_000_000,
    updatedMs: 1_000_000,
    number: 1,
    ruleVersion: null,
    ...alert,
    body: {
      type: 'RULE',
      title: 'SSH Connection Established from TOR Exit Node (45.139.122.241)',
      dedup: '45.139.122.241',
      displayName: 'SSH login from a Tor exit node',
      description: 'Somebody came in by Tor.',
      reference: '',
      runbook: 'Ask the owner of the account.',
      tags: ['SSH'],
      reports: {},
      destinations: null,
      context: null,
      functionErrors: {},
      threshold: 1,
      firstEventTime: '2023-05-15T14:23:07.729342Z',
      lastEventTime: '2023-05-15T14:23:09Z',
      logTypes: ['Zeek.SSH'],
      indicators: { p_any_ip_addresses: ['45.139.122.241'] },
      indicatorsCut: false,
      sampleEvent: null,
      latencyMs: 21,
      sourceLabels: ['demo'],
      ...body,
    },
  }
}

const RULE_STATE: Omit<RuleState, 'ruleId'> = {
  state: 'waiting',
  sinceMs: 1_700_000_000_000,
  why: 'tor.py: took longer than 1000 ms of processor time',
  matches: 1234,
  errors: 5,
  lastMatchMs: 1_700_000_000_000,
  lastError: { atMs: 1_700_000_000_000, message: 'tor.py: KeyError' },
  seconds: 0.25,
  spans: [{ ruleId: '', logTypes: ['Zeek.SSH'], why: 'x', fromMs: 1_700_000_000_000, toMs: null, events: 12 }],
}

const REPLAY: Omit<Replay, 'id' | 'ask'> = {
  state: 'done',
  createdMs: 1_000_000,
  startedMs: 1_000_100,
  endedMs: 1_900_000,
  parts: [{ name: 'zeek', records: 12 }],
  cursor: { part: 1 },
  report: {
    ...EMPTY_REPORT,
    records: 12,
    stored: 7,
    failing: { wrong_type: 5 },
    rules: [
      {
        ruleId: 'Tor.SSH.Login',
        matches: 1,
        known: 3,
        errors: 0,
        samples: [{ time: '2023-05-15T14:23:07Z', rowId: 'aa', logType: 'Zeek.SSH', title: 'Tor \u001b[31m' }],
      },
    ],
    alerts: 1,
    firstAlerts: [
      {
        alertId: alertId(9),
        ruleId: 'Tor.SSH.Login',
        type: 'RULE',
        title: 'Tor again',
        dedup: 'x',
        severity: 'HIGH',
        events: 1,
        firstEventTime: '2023-05-15T14:23:07Z',
        lastEventTime: '2023-05-15T14:23:07Z',
      },
    ],
  },
  notes: { wait: 'It waits for the lake.' },
}

const CONTENT: Engine['content'] = {
  rules: [
    {
      id: 'Tor.SSH.Login',
      displayName: 'SSH login from a Tor exit node',
      enabled: true,
      severity: 'CRITICAL',
      logTypes: ['Zeek.SSH'],
      kind: 'rule',
      description: 'Somebody came in by Tor.',
      reference: '',
      runbook: 'Ask the owner of the account.',
      tags: ['SSH'],
      reports: { 'MITRE ATT&CK': ['TA0011:T1090.003'] },
      outputIds: [],
      threshold: 1,
      dedupPeriodMinutes: 60,
      createAlert: true,
      version: '0123456789abcdef',
      file: '/rules/tor.yml',
      codeFile: '/rules/tor.py',
      baseDetection: undefined,
      scheduledQueries: [],
      overrides: [{ key: 'Severity', file: '/rules/overrides.yml', line: 3 }],
    },
  ],
  schemas: ['Zeek.SSH'],
  schemaFiles: [{ name: 'Zeek.SSH', file: '/schemas/zeek.yml' }],
  tables: 2,
  problems: [{ file: '/rules/x.yml', message: 'unknown key' }],
  broken: [{ file: '/rules/x.yml', message: 'unknown key' }],
  names: [],
  rulesOff: [],
  notices: [],
}

const ACTIVITY: SourceView['activity'] = {
  watchedMs: 500_000,
  firstReceivedMs: 600_000,
  lastReceivedMs: 900_000,
  lastEventMs: 897_500,
  lagMs: 2500,
  bytes: 1234,
  recordsPerMinute: 0.8,
  bytesPerMinute: 80,
}

const SOURCES: readonly SourceView[] = ['default', 'demo', 'zeek'].map((id) => ({
  id,
  type: id === 'zeek' ? 'file' : 'http',
  label: id,
  logTypes: [],
  received: 12,
  stored: 9,
  filtered: 0,
  deadLettered: 2,
  deadLetterReasons: { invalid_json: 2 },
  guessed: {},
  filters: {},
  inFlight: 1,
  backlogBytes: 2048,
  activity: id === 'zeek' ? ACTIVITY : undefined,
  problems: [],
  deadLetterSamples: [],
  notices: id === 'zeek' ? ['a.log is a copy of b.log and was skipped'] : [],
  unknownFields:
    id === 'zeek'
      ? [
          { logType: '', field: 'further fields', count: 20 },
          { logType: 'Zeek.Conn', field: 'orig_cc', count: 9 },
        ]
      : [],
}))

const VERSIONS: readonly VersionPeriod[] = [
  { version: '2024-03-10-0123456789ab', sinceMs: 1_000_000, untilMs: 2_000_000, origin: 'shipped', isGone: true },
  {
    version: '2024-03-11-0123456789ac',
    sinceMs: 2_000_000,
    untilMs: 3_000_000,
    origin: 'fetched',
    rows: 1200,
    storedBytes: 7000,
  },
  {
    version: '2024-03-12-0123456789ad',
    sinceMs: 3_000_000,
    origin: 'fetched',
    rows: 1174,
    storedBytes: 6900,
    changes: { added: 2, removed: 28, changed: 1, worsened: 1 },
    passedOver: ['the content is an old copy'],
  },
]

const OUTCOMES: readonly RefreshOutcome[] = [
  { outcome: 'swapped', atMs: 3_000_000, lastMs: 3_000_000, times: 1, version: '2024-03-12-0123456789ad', rows: 1174 },
  { outcome: 'failed', atMs: 4_000_000, lastMs: 5_000_000, times: 3, message: 'check.torproject.org answered 503' },
]

const TABLES: readonly TableView[] = [
  {
    name: 'tor_exit_nodes',
    rows: 1174,
    version: '2024-03-12',
    state: 'stale',
    problem: 'check.torproject.org answered 503',
    refreshedMs: 1_000_000,
    ageSeconds: 90_000_000,
    nextRefreshMs: 2_000_000,
    provider: 'url',
    file: '/packs/tor/tables/tor_exit_nodes.yml',
    live: undefined,
  },
  {
    name: 'allowed_ports',
    rows: 4,
    version: 'a1b2',
    state: 'static',
    problem: undefined,
    refreshedMs: undefined,
    ageSeconds: undefined,
    nextRefreshMs: undefined,
    provider: 'file',
    file: '/packs/netstat/tables/allowed_ports.yml',
    live: undefined,
  },
]
