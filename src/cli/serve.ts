import { createApp } from '../api/app.ts'
import { LiveStreams } from '../api/live/live-streams.ts'
import { type RunningServer, startServer } from '../api/server.ts'
import type { Config } from '../config/config.ts'
import type { Engine } from '../engine/engine.ts'
import type { StoredAlert } from '../model/alert.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { messageOf } from '../util/errors.ts'
import { printable } from '../util/terminal.ts'
import { version } from '../util/version.ts'
import { demoSummary } from './demo-summary.ts'
import { firstUser } from './first-user.ts'
import type { Io } from './io.ts'
import { self, selfCall } from './self.ts'
import { serverOptions } from './server-settings.ts'
import { Standby } from './standby.ts'
import { count, counted } from './style.ts'

export interface Running {
  readonly engine: Engine
  readonly url: string
  /** Prints what is running and, on the first start, the demo's results. Resolves once everything is printed; never rejects. */
  greet(): Promise<void>
  /** Stops accepting calls, then lets the engine finish current work. */
  stop(): Promise<void>
}

/** Starts the engine; the function is called while this node waits for the active one to end. */
type Start = (onStandby: () => void) => Promise<Engine>

/**
 * Binds the address first, so that one already in use is reported before anything starts, and senders get a 503 instead of a
 * refused connection while the engine starts.
 */
export async function serve(config: Config, start: Start, io: Io, log: Log = processLog()): Promise<Running> {
  let app: { fetch(request: Request, connection: object): Response | Promise<Response> } | undefined
  const standby = new Standby(config, log)
  const server = await startServer(
    (request, connection) => (app ?? standby).fetch(request, connection),
    serverOptions(config, log),
  )
  let engine: Engine
  try {
    engine = await start(() => standby.begin())
  } catch (error) {
    await standby.stop()
    await server.close(0)
    throw error
  }
  const live = new LiveStreams()
  app = createApp(engine, log, live)
  await standby.stop()
  return {
    engine,
    url: server.url,
    greet: () =>
      greet(engine, server, io, log).catch((error: unknown) => log.warn({ err: error }, 'Printing the start-up summary failed.')),
    async stop() {
      live.close()
      await server.close()
      await engine.stop()
    },
  }
}

async function greet(engine: Engine, { url }: RunningServer, io: Io, log: Log): Promise<void> {
  const { config, content } = engine
  // A reader of alerts as JSON lines must get nothing else on that stream.
  const say = config.destinations.some((to) => to.type === 'stdout' && to.format === 'json') ? io.err : io.out
  if (io.isTty) say(await summary(engine, url))
  else {
    const loaded = { url, rules: content.rules.length, schemas: content.schemas.length, tables: content.tables }
    log.info({ ...loaded, problems: content.problems.length, data_dir: config.data_dir }, 'Caracal is up.')
  }
  for (const { file, message } of content.problems) log.warn({ file }, `Content: ${message}`)
  const first = await firstUser(engine, url, io)
  if (!engine.isDemo) return say(first)
  if (io.isTty) say(`\nThis is the first start: the bundled sample goes through the same pipeline that your logs will.\n\n`)
  const line = ({ severity, body }: StoredAlert) => `${severity.padEnd(9)} ${printable(body.title)}`
  say(await demoSummary(engine, url, line))
  say(first)
}

async function summary(engine: Engine, url: string): Promise<string> {
  const { content, config } = engine
  const rules = content.rules.filter(({ enabled }) => enabled).length
  const tables = await engine.tables().catch((error: unknown) => messageOf(error))
  const lines = [
    `Caracal ${version()} is up at ${url}`,
    '',
    `Content    ${counted(rules, 'rule')}, ${counted(content.schemas.length, 'log type')}, ${counted(content.tables, 'table')}`,
  ]
  if (content.problems.length > 0) lines.push(`           ${counted(content.problems.length, 'problem')}: ${self()} validate`)
  if (typeof tables !== 'string') {
    for (const [i, { name, rows, state }] of tables.entries()) {
      lines.push(`${i === 0 ? 'Tables' : ''}`.padEnd(11) + printable(`${name}: ${count(rows)} rows, ${state}`))
    }
  }
  lines.push(`Data       ${config.data_dir} (the API's token is in the file token)`)
  if (!engine.isDemo) lines.push(`           ${selfCall('alerts')} lists alerts; Ctrl-C stops`)
  lines.push('')
  return lines.join('\n')
}
