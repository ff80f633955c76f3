import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../support/until.ts'
import { mavenPackages, type Peer, program } from './installed.ts'

const JAVA = program('java')

/** Apache ZooKeeper; `path` is the folder with its jars. */
export const zookeeperPeer: Peer =
  JAVA.why === undefined
    ? mavenPackages([
        'org.apache.zookeeper:zookeeper:3.9.3',
        'io.dropwizard.metrics:metrics-core:4.1.12.1',
        'org.xerial.snappy:snappy-java:1.1.10.7',
        'org.slf4j:slf4j-nop:1.7.36',
      ])
    : { why: JAVA.why }

/** One server, which keeps what it has while it is killed. */
export class ZooKeeper {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'caracal-peer-zookeeper-'))
  #child: ChildProcess | undefined

  private constructor(port: number) {
    this.port = port
    const settings = {
      // Sessions last twenty of these at most.
      tickTime: 500,
      dataDir: join(this.#folder, 'data'),
      clientPort: port,
      clientPortAddress: '127.0.0.1',
      'admin.enableServer': false,
      '4lw.commands.whitelist': 'ruok',
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(this.#folder, 'zoo.cfg'), lines.join(''))
  }

  static async start(): Promise<ZooKeeper> {
    const server = new ZooKeeper(await keptPort())
    await server.start()
    return server
  }

  /** Starts it again after `kill`, with what it had. */
  async start(): Promise<void> {
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
    const args = ['-Xmx128m', '-cp', join(zookeeperPeer.path!, '*'), main, join(this.#folder, 'zoo.cfg')]
    const child = spawn(JAVA.path!, args, { stdio: 'ignore', cwd: this.#folder })
    this.#child = child
    await until(async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('ZooKeeper ended')
      return (await ask(this.port, 'ruok')) === 'imok' || undefined
    })
  }

  /** SIGKILL, as if its machine was gone. */
  async kill(): Promise<void> {
    const child = this.#child!
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/**
 * A free port below those that the system gives to connections: while ZooKeeper is away, its clients keep trying, and one of them could be
 * given its port.
 */
async function keptPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
}

/** The answer to one of its words of four letters; empty if it does not answer. */
function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(word))
    socket.on('data', (text) => {
      answer += text.toString()
    })
    socket.on('error', () => {})
    // While it starts, it may take a connection and forget it.
    socket.setTimeout(2000, () => socket.destroy())
    socket.on('close', () => resolve(answer))
  })
}
