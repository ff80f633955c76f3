import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Kafka, Kafka as KafkaClient, logLevel, Partitioners } from 'kafkajs'
import { freePort } from '../../support/caracal.ts'
import { mavenPackages, type Peer, program } from './installed.ts'

const JAVA = program('java')
const OPENSSL = program('openssl')
const WHY = JAVA.why ?? OPENSSL.why

/** Apache Kafka; `path` is the folder with its jars. */
export const kafkaPeer: Peer =
  WHY === undefined
    ? mavenPackages(['org.apache.kafka:kafka_2.13:4.3.1', 'org.apache.kafka:kafka-tools:4.3.1', 'org.slf4j:slf4j-nop:1.7.36'])
    : { why: WHY }

export const LOGIN = { username: 'reader', password: 'a-secret-of-tests' }

/** One broker with listeners for plain text, for logins and for logins over TLS. */
export class Broker {
  readonly folder: string
  readonly ports: { readonly plain: number; readonly sasl: number; readonly tls: number }
  #child: ChildProcess
  readonly client: Kafka

  private constructor(folder: string, ports: Broker['ports'], child: ChildProcess) {
    this.folder = folder
    this.ports = ports
    this.#child = child
    this.client = new KafkaClient({ brokers: [`127.0.0.1:${ports.plain}`], logLevel: logLevel.NOTHING, retry: { retries: 10 } })
  }

  /** The authority's certificate, PEM. */
  get ca(): string {
    return join(this.folder, 'cert.pem')
  }

  static async start(): Promise<Broker> {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-peer-kafka-'))
    const ports = { plain: await freePort(), sasl: await freePort(), tls: await freePort() }
    makeCertificate(folder)
    const properties = join(folder, 'server.properties')
    writeFileSync(properties, settings(folder, ports, await freePort()))
    const jars = join(kafkaPeer.path!, '*')
    const cluster = execFileSync(JAVA.path!, ['-cp', jars, 'kafka.tools.StorageTool', 'random-uuid'], { encoding: 'utf8' }).trim()
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((kind) => [
      '--add-scram',
      `${kind}=[name=${LOGIN.username},password=${LOGIN.password}]`,
    ])
    const format = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', cluster, '-c', properties, ...scram]
    execFileSync(JAVA.path!, ['-cp', jars, ...format], { stdio: 'ignore' })
    const broker = new Broker(folder, ports, run(folder))
    await broker.#isReady()
    return broker
  }

  /** SIGKILL, as if its machine was gone. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }

  /** Stops it, or continues it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  /** Starts it again after `kill`, with what it had. */
  async again(): Promise<void> {
    this.#child = run(this.folder)
    await this.#isReady()
  }

  async topic(name: string, numPartitions: number): Promise<void> {
    const admin = this.client.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: name, numPartitions }], waitForLeaders: true })
    await admin.disconnect()
  }

  /** Messages from `from` to before `to`, spread over the partitions. */
  async produce(topic: string, from: number, to: number): Promise<void> {
    const producer = this.client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    for (let at = from; at < to; at += 500) {
      const messages = Array.from({ length: Math.min(500, to - at) }, (_, i) => ({ key: `${at + i}`, value: `{"n":${at + i}}` }))
      await producer.send({ topic, messages })
    }
    await producer.disconnect()
  }

  /** The same with Kafka's own producer, compressed with a codec by its name. */
  produceCompressed(topic: string, from: number, to: number, codec: string): void {
    const input = Array.from({ length: to - from }, (_, i) => `{"n":${from + i}}\n`).join('')
    const at = ['--bootstrap-server', `127.0.0.1:${this.ports.plain}`, '--topic', topic, '--compression-codec', codec]
    const args = ['-Xmx128m', '-cp', join(kafkaPeer.path!, '*'), 'org.apache.kafka.tools.ConsoleProducer', ...at]
    execFileSync(JAVA.path!, args, { input, stdio: ['pipe', 'ignore', 'ignore'] })
  }

  /** Number of messages that the broker holds. */
  async held(topic: string): Promise<number> {
    const admin = this.client.admin()
    await admin.connect()
    const ends = await admin.fetchTopicOffsets(topic)
    await admin.disconnect()
    return ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
  }

  /** The group's lag: messages behind its stored offsets, as lag tools see it. */
  async lag(groupId: string, topic: string): Promise<number> {
    const admin = this.client.admin()
    await admin.connect()
    const ends = await admin.fetchTopicOffsets(topic)
    const [stored] = await admin.fetchOffsets({ groupId, topics: [topic] })
    await admin.disconnect()
    const at = new Map(stored!.partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]))
    return ends.reduce((sum, { partition, high }) => sum + Number(high) - at.get(partition)!, 0)
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #isReady(): Promise<void> {
    // Without the pauses of the client, which become longer with each attempt.
    const client = new KafkaClient({
      brokers: [`127.0.0.1:${this.ports.plain}`],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    })
    for (;;) {
      const admin = client.admin()
      try {
        await admin.connect()
        await admin.listTopics()
        return await admin.disconnect()
      } catch (error) {
        if (this.#child.exitCode !== null) throw new Error('the broker ended', { cause: error })
        await admin.disconnect()
        await sleep(200)
      }
    }
  }
}

function run(folder: string): ChildProcess {
  const args = ['-Xmx384m', '-cp', join(kafkaPeer.path!, '*'), 'kafka.Kafka', join(folder, 'server.properties')]
  return spawn(JAVA.path!, args, { stdio: 'ignore', cwd: folder })
}

/** One certificate that is its own authority, for 127.0.0.1. */
function makeCertificate(folder: string): void {
  const at = (name: string) => join(folder, name)
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const run = (args: string[]) => execFileSync(OPENSSL.path!, args, { stdio: 'ignore' })
  run([
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '30',
    '-keyout',
    at('key.pem'),
    '-out',
    at('cert.pem'),
    ...names,
  ])
  run(['pkcs12', '-export', '-inkey', at('key.pem'), '-in', at('cert.pem'), '-out', at('key.p12'), '-passout', 'pass:tests1'])
}

function settings(folder: string, ports: Broker['ports'], controller: number): string {
  const jaas = 'org.apache.kafka.common.security'
  const plain = `${jaas}.plain.PlainLoginModule required user_${LOGIN.username}="${LOGIN.password}";`
  const scram = `${jaas}.scram.ScramLoginModule required;`
  const listeners = `PLAINTEXT://127.0.0.1:${ports.plain},SASL_PLAINTEXT://127.0.0.1:${ports.sasl},SASL_SSL://127.0.0.1:${ports.tls}`
  const logins = ['sasl_plaintext', 'sasl_ssl'].flatMap((name) => [
    `listener.name.${name}.plain.sasl.jaas.config=${plain}`,
    `listener.name.${name}.scram-sha-256.sasl.jaas.config=${scram}`,
    `listener.name.${name}.scram-sha-512.sasl.jaas.config=${scram}`,
  ])
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controller}`,
    `listeners=${listeners},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=${listeners}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...logins,
    `ssl.keystore.location=${join(folder, 'key.p12')}`,
    'ssl.keystore.type=PKCS12',
    'ssl.keystore.password=tests1',
    `log.dirs=${join(folder, 'data')}`,
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    '',
  ].join('\n')
}
