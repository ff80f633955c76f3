import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Caracal, freePort } from '../support/caracal.ts'
import { seeded } from '../support/random.ts'
import { FlakyReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { Node } from './node.ts'
import { SEED } from './size.ts'

/** What a world consists of. */
export interface Shape {
  /** The role of each node by its name; `undefined` is everything. In the order of their start: the first is active. */
  readonly roles: Readonly<Record<string, string | undefined>>
  /** Writes the content into a folder. */
  readonly content: (folder: string) => void
  /** The configuration but for content and destinations; `logs` is a folder for files of logs. */
  readonly config: (logs: string) => object
  /** Writes into the data folder of each node before it starts for the first time. */
  readonly fill?: (dataDir: string) => Promise<void>
}

/** Nodes, and a receiver of their alerts that fails half of the time. */
export class World {
  readonly nodes = new Map<string, Node>()
  readonly receiver = new FlakyReceiver(seeded(SEED + 1))
  /** Of senders. */
  token = ''
  #reader = ''
  readonly #folder = mkdtempSync(join(tmpdir(), 'caracal-cluster-'))

  private constructor() {}

  /** Resolves when every node answers. */
  static async start(shape: Shape): Promise<World> {
    const world = new World()
    try {
      await world.#start(shape)
      return world
    } catch (error) {
      await world.stop()
      throw error
    }
  }

  async #start({ roles, content, config, fill }: Shape): Promise<void> {
    const folder = this.#folder
    content(join(folder, 'content'))
    mkdirSync(this.logs)
    const hook = `http://127.0.0.1:${await this.receiver.listen()}/`
    const own = { content: [join(folder, 'content')], destinations: [{ type: 'webhook', id: 'hook', url: hook }] }
    const paces = { delivery_retry_min_ms: 20, delivery_retry_max_ms: 200, flush_ms: 300, workers: 1 }
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ ...own, ...paces, ...config(this.logs) }))
    // One after the other: the first is active, and the cores are few.
    for (const [name, role] of Object.entries(roles)) {
      const port = await freePort()
      const dataDir = join(folder, name)
      const own = ['--node', name, '--listen', `127.0.0.1:${port}`, '--data-dir', dataDir, ...(role ? ['--role', role] : [])]
      const args = ['--config', join(folder, 'caracal.yml'), '--no-demo', ...own]
      await fill?.(dataDir)
      const node = new Node(name, new Caracal({ port, dataDir, cwd: folder, args }))
      this.nodes.set(name, node)
      await node.start()
      // Before the nodes that only receive, which look for new ones every few seconds.
      this.token ||= await tokenOf(node, 'senders', 'ingest')
      this.#reader ||= await tokenOf(node, 'readers', 'viewer')
    }
  }

  /** The folder of the file that grows. */
  get logs(): string {
    return join(this.#folder, 'logs')
  }

  /** The last that each node has printed. */
  get outputs(): readonly string[] {
    return [...this.nodes.values()].map(({ name, caracal }) => `== ${name}\n${caracal.output.slice(-6000)}`)
  }

  port(name: string): number {
    return this.nodes.get(name)!.caracal.port
  }

  /** The rows of a query that any node answers. */
  query(name: string, sql: string): Promise<unknown[][]> {
    return this.nodes.get(name)!.caracal.query(sql, this.#reader)
  }

  /** The node that is active, as soon as there is one. */
  active(): Promise<Node> {
    return this.#withStatus(['ok', 'degraded', 'failing'])
  }

  standby(): Promise<Node> {
    return this.#withStatus(['standby'])
  }

  #withStatus(wanted: readonly string[]): Promise<Node> {
    const able = [...this.nodes.values()].filter(({ name }) => name === 'one' || name === 'two')
    return until(async () => {
      const found = await Promise.all(able.map(async (node) => ({ node, status: await node.status() })))
      return found.find(({ status }) => wanted.includes(status))?.node
    })
  }

  async stop(): Promise<void> {
    for (const node of this.nodes.values()) await node.end()
    await this.receiver.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function tokenOf({ caracal }: Node, name: string, role: string): Promise<string> {
  const made = await caracal.fetch('/api/v1/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, role }),
  })
  return ((await made.json()) as { token: string }).token
}
