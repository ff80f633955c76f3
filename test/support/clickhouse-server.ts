import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../scripts/lib/free-port.mjs'
import { readerGrants } from '../../src/stages/store/clickhouse/access.ts'
import { ON_CLUSTER, PART_DATABASES } from '../../src/stages/store/cluster.ts'
import { DATABASES } from '../../src/stages/store/ddl.ts'
import { type QueryLimits, readerSettings } from '../../src/stages/store/engine.ts'
import { queryLimits } from '../../src/stages/store/limits.ts'
import { packageRoot } from '../../src/util/entry.ts'
import { until } from './until.ts'

/** Of every user. */
export const PASSWORD = 'a password of tests'

const MIB = 1024 * 1024
export const LIMITS = queryLimits({ max_query_bytes: 1024 * MIB, max_result_bytes: 64 * MIB }, 30_000)

/** Why there can be no server on this machine. */
export const whyNoServer = reason()

function reason(): string | undefined {
  if (process.platform !== 'linux') return 'the server of tests runs on Linux only'
  if (library() === undefined) return 'the package chdb is not installed'
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'gcc is not installed'
  }
}

/** The folder with the engine's library. */
function library(): string | undefined {
  const packages = join(packageRoot(), 'node_modules/@chdb')
  if (!existsSync(packages)) return undefined
  return readdirSync(packages)
    .map((name) => join(packages, name))
    .find((folder) => existsSync(join(folder, 'libchdb.so')))
}

/** The compiled program, which later runs find again. */
function program(): string {
  const [source, folder] = [join(import.meta.dirname, 'clickhouse-server.c'), library()!]
  const hash = createHash('sha256').update(readFileSync(source)).update(folder).digest('hex').slice(0, 16)
  const file = join(tmpdir(), `caracal-clickhouse-${process.getuid?.()}-${hash}`)
  if (existsSync(file)) return file
  const fresh = `${file}.${process.pid}`
  execFileSync('gcc', [source, '-o', fresh, `-L${folder}`, '-lchdb', `-Wl,-rpath,${folder}`])
  renameSync(fresh, file)
  return file
}

export interface ServerOptions {
  /** The port for other servers of its cluster. */
  readonly tcpPort?: number
  /** More of its configuration; called with the folder that it can use. */
  readonly xml?: (folder: string) => string
  /** A library that is loaded before all others. */
  readonly preload?: string
}

/** A real ClickHouse server with the users of a lake. It cannot make users itself, so they are in its configuration. */
export class ClickhouseServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'caracal-clickhouse-'))
  readonly #port: number
  readonly #tcpPort: number | undefined
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | undefined
  #isKept = false
  #isKilled = false
  #output = ''

  private constructor(port: number, limits: QueryLimits, { tcpPort, xml, preload }: ServerOptions) {
    this.#port = port
    this.#tcpPort = tcpPort
    this.#env = preload === undefined ? process.env : { ...process.env, LD_PRELOAD: preload }
    const users = join(this.#folder, 'users.xml')
    writeFileSync(users, usersXml(limits, tcpPort !== undefined))
    const own = `<listen_host>127.0.0.1</listen_host><users_config>${users}</users_config>`
    const config = `<clickhouse>${own}${xml?.(this.#folder) ?? ''}</clickhouse>`
    writeFileSync(join(this.#folder, 'config.xml'), config)
  }

  static async start(limits = LIMITS, options: ServerOptions = {}): Promise<ClickhouseServer> {
    const server = new ClickhouseServer(await freePort(), limits, options)
    await server.start()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** The folder of its data. */
  get data(): string {
    return join(this.#folder, 'data')
  }

  /** The lake block of the configuration. */
  get lake() {
    const password = { file: join(this.#folder, 'password') }
    writeFileSync(password.file, PASSWORD)
    return { type: 'clickhouse', url: this.url, user: 'caracal', password, reader: { password } } as const
  }

  /** Starts it again, with its data, and resolves when it answers. */
  async start(): Promise<void> {
    const loop = `SYSTEM START LISTEN HTTP; ${this.#tcpPort === undefined ? '' : 'SYSTEM START LISTEN TCP; '}SELECT sleepEachRow(3) FROM numbers(1000000000)
      SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1, max_execution_time = 0 FORMAT Null`
    const options = [`--config-file=${join(this.#folder, 'config.xml')}`, `--http_port=${this.#port}`]
    if (this.#tcpPort !== undefined) options.push(`--tcp_port=${this.#tcpPort}`)
    const child = spawn(program(), [...options, `--path=${this.data}`, '--multiquery', '--query', loop], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    this.#isKilled = false
    child.once('exit', () => {
      if (this.#isKept && !this.#isKilled) void this.start().catch(() => {})
    })
    child.stderr.on('data', (text: Buffer) => {
      this.#output = (this.#output + text.toString()).slice(-4000)
    })
    await until(async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended: ${this.#output}`)
      return (
        (await fetch(`${this.url}/ping`).then(
          (answer) => answer.ok,
          () => false,
        )) || undefined
      )
    })
  }

  /**
   * From now on it is started again whenever it ends by itself, as a service manager does: this build sometimes ends when another server of its
   * cluster is killed.
   */
  keep(): void {
    this.#isKept = true
  }

  /** Kills it, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child!
    this.#isKilled = true
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** Stops it, or continues it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child!.kill(signal)
  }

  /** Runs a statement; the answer has a JSON array per line. */
  async run(sql: string, user = 'admin', params: Record<string, string> = {}): Promise<string> {
    const query = new URLSearchParams({ default_format: 'JSONCompactEachRow', wait_end_of_query: '1', ...params })
    const authorization = `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`
    const answer = await fetch(`${this.url}/?${query}`, { method: 'POST', body: sql, headers: { authorization } })
    const text = await answer.text()
    if (!answer.ok) throw new Error(text)
    return text
  }

  /** Removes everything that lakes have. */
  async reset(): Promise<void> {
    try {
      await this.#empty()
    } catch {
      // It has ended by itself.
      await this.kill()
      await this.start()
      await this.#empty()
    }
  }

  async #empty(): Promise<void> {
    for (const database of [...DATABASES, ...PART_DATABASES]) await this.run(`DROP DATABASE IF EXISTS ${database} SYNC`)
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The rights that docs/lake.md says the writing user needs, on a single server and on those of a cluster. */
function documentedGrants(isCluster: boolean): string[] {
  const [single = '', more = ''] = readFileSync(join(packageRoot(), 'docs/lake.md'), 'utf8').split('\n## On a cluster\n')
  return (isCluster ? `${single}\n${more}` : single).match(/^GRANT .* TO caracal\b.*(?=;$)/gm) ?? []
}

function grantsXml(grants: readonly string[]): string {
  return `<grants>${grants.map((grant) => `<query>${grant.replace(/ TO \S+/, '')}</query>`).join('')}</grants>`
}

/** The users that `caracal lake init` makes on other servers, with the same settings and rights. */
function usersXml(limits: QueryLimits, isCluster: boolean): string {
  const settings = Object.entries(readerSettings(limits, isCluster ? ON_CLUSTER : {})).map(
    ([name, value]) => `<${name}>${value}</${name}>`,
  )
  const user = (name: string, password: string, profile: string, more: string) =>
    `<${name}><password>${password}</password><networks><ip>127.0.0.1</ip></networks><profile>${profile}</profile><quota>default</quota>${more}</${name}>`
  const users = [
    user('default', '', 'default', ''),
    user('admin', PASSWORD, 'default', '<access_management>1</access_management>'),
    user('caracal', PASSWORD, 'default', grantsXml(documentedGrants(isCluster))),
    user('caracal_reader', PASSWORD, 'reader', grantsXml(readerGrants('caracal_reader', isCluster))),
  ]
  return `<clickhouse><profiles><default/><reader>${settings.join('')}</reader></profiles><quotas><default/></quotas><users>${users.join('')}</users></clickhouse>`
}
