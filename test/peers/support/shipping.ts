import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Caracal, freePort } from '../../support/caracal.ts'

const SCHEMA = `schema: Custom.Shipped
fields:
  - { name: n, type: int }
  - { name: text, type: string }
  - { name: message, type: string }
`

/** Caracal with one source of a shipper's protocol, and clients that send to it. */
export class Shipping {
  readonly #folder: string
  readonly #caracal: Caracal
  /** `http://127.0.0.1:port`. */
  readonly url: string

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.url = `http://127.0.0.1:${port}`
    this.#caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  }

  static async start(type: string): Promise<Shipping> {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-shipping-'))
    const port = await freePort()
    mkdirSync(join(folder, 'content'))
    writeFileSync(join(folder, 'content/shipped.yml'), SCHEMA)
    const sources = [{ type, id: 'shipper', log_types: ['Custom.Shipped'] }]
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${port}`, sources, flush_ms: 100 }))
    const shipping = new Shipping(folder, port)
    await shipping.#caracal.start()
    return shipping
  }

  get token(): string {
    return readFileSync(join(this.#folder, 'data/token'), 'utf8').trim()
  }

  /** Runs a client's program as a CommonJS script beside its packages; returns what it prints. */
  client(packages: string, script: string): Promise<string> {
    return runScript(packages, script, { URL: this.url, TOKEN: this.token })
  }

  /** Waits for the rows of the source's events. */
  async events(columns: string, count: number): Promise<unknown[][]> {
    const sql = `SELECT ${columns} FROM logs.custom_shipped ORDER BY n`
    for (;;) {
      const rows = await this.#caracal.query(sql).catch(() => [])
      if (rows.length >= count) return rows
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async stop(): Promise<void> {
    await this.#caracal.end('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Runs a CommonJS script beside its packages; returns what it prints. */
export async function runScript(packages: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = join(packages, `send-${process.pid}.cjs`)
  writeFileSync(file, script)
  try {
    const options = { cwd: packages, env: { ...process.env, ...env }, timeout: 60_000 }
    const { stdout } = await promisify(execFile)(process.execPath, [file], options)
    return stdout.trim()
  } finally {
    rmSync(file)
  }
}
