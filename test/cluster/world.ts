import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/util/entry.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { seeded } from '../support/random.ts'
import { FlakyReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { Node } from './node.ts'
import { Servers } from './servers.ts'
import { SEED, SIZE } from './size.ts'

/** Two that can be active, two that judge, two that receive. */
const ROLES: Readonly<Record<string, string | undefined>> = {
  one: undefined,
  two: undefined,
  'worker-1': 'worker',
  'worker-2': 'worker',
  'edge-1': 'ingest',
  'edge-2': 'ingest',
}

/** Six nodes with the servers that they share, and a receiver of alerts that fails half of the time. */
export class World {
  readonly servers: Servers
  readonly nodes: ReadonlyMap<string, Node>
  readonly receiver: FlakyReceiver
  /** Of senders. */
  readonly token: string
  readonly #folder: string

  private constructor(own: Pick<World, 'servers' | 'nodes' | 'receiver' | 'token'>, folder: string) {
    this.servers = own.servers
    this.nodes = own.nodes
    this.receiver = own.receiver
    this.token = own.token
    this.#folder = folder
  }

  static async start(): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-cluster-'))
    const servers = await Servers.start()
    const receiver = new FlakyReceiver(seeded(SEED + 1))
    writeContent(folder)
    mkdirSync(join(folder, 'logs'))
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config(folder, servers, await receiver.listen())))
    const nodes = new Map<string, Node>()
    for (const [name, role] of Object.entries(ROLES)) {
      const port = await freePort()
      const dataDir = join(folder, name)
      const own = ['--node', name, '--listen', `127.0.0.1:${port}`, '--data-dir', dataDir, ...(role ? ['--role', role] : [])]
      const args = ['--config', join(folder, 'caracal.yml'), '--no-demo', ...own]
      nodes.set(name, new Node(name, new Caracal({ port, dataDir, cwd: folder, args })))
    }
    // One after the other: the first is active, and the cores are few.
    for (const node of nodes.values()) await node.start()
    const made = await nodes.get('one')!.caracal.fetch('/api/v1/tokens', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'senders', role: 'ingest' }),
    })
    const { token } = (await made.json()) as { token: string }
    return new World({ servers, nodes, receiver, token }, folder)
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

  /** The node that is active, as soon as there is one. */
  active(): Promise<Node> {
    return this.#withStatus(['ok', 'degraded', 'failing'])
  }

  standby(): Promise<Node> {
    return this.#withStatus(['standby'])
  }

  #withStatus(wanted: readonly string[]): Promise<Node> {
    const both = [this.nodes.get('one')!, this.nodes.get('two')!]
    return until(async () => {
      const found = await Promise.all(both.map(async (node) => ({ node, status: await node.status() })))
      return found.find(({ status }) => wanted.includes(status))?.node
    })
  }

  async stop(): Promise<void> {
    for (const node of this.nodes.values()) await node.end()
    await this.receiver.close()
    await this.servers.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The content of the crash test; one of its rules opens an alert for each block of each lane, instead of one for each lane. */
function writeContent(folder: string): void {
  const content = join(folder, 'content')
  cpSync(join(packageRoot(), 'test/crash/content'), content, { recursive: true })
  const rule = join(content, 'rules/crash_many.py')
  const title = `f"lane {event.get('lane')} {event.get('seq') // ${SIZE.block}}"`
  writeFileSync(rule, readFileSync(rule, 'utf8').replace(`f"lane {event.get('lane')}"`, title))
  const rows = Array.from({ length: 50 }, (_, i) => `203.0.113.${i * 5},first`)
  writeFileSync(join(content, 'tables/crash_hosts.csv'), `ip,note\n${rows.join('\n')}\n`)
}

function config(folder: string, servers: Servers, hook: number) {
  return {
    content: [join(folder, 'content')],
    sources: [
      { type: 'http', id: 'web', log_types: ['Custom.Crash'] },
      {
        type: 'file',
        id: 'disk',
        log_types: ['Custom.Crash'],
        paths: [join(folder, 'logs/app.log*')],
        poll_ms: 50,
        idle_ms: 300,
      },
    ],
    destinations: [{ type: 'webhook', id: 'hook', url: `http://127.0.0.1:${hook}/` }],
    delivery_retry_min_ms: 20,
    delivery_retry_max_ms: 200,
    flush_ms: 300,
    workers: 1,
    ...servers.config,
  }
}
