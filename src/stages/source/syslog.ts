import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { z } from 'zod'
import { ConfigError } from '../../util/errors.ts'
import { syslogMessage } from './decoders/syslog-messages.ts'
import { MessageQueue } from './message-queue.ts'
import { hostAndPort, listening, listenKey, maxConnections, SocketServer } from './socket-server.ts'
import { socketTls, tlsOptions } from './socket-tls.ts'
import { defineSource, type Intake, type IntakeDeps, type IntakeStatus, sourceBase } from './source.ts'
import { SyslogFrames, trimEnd } from './syslog-frames.ts'
import { droppedDatagrams } from './udp-drops.ts'

const config = z.object({
  ...sourceBase,
  listen: listenKey(5514),
  transports: z
    .array(z.enum(['udp', 'tcp', 'tls']))
    .min(1)
    .default(['udp', 'tcp'])
    .describe('What senders may use on that port. `tcp` and `tls` need a source each.'),
  tls: socketTls.optional().describe('Certificate and key for the transport `tls`.'),
  max_message_bytes: z
    .int()
    .min(480)
    .max(1024 * 1024)
    .default(64 * 1024)
    .describe('A longer message is split.'),
  max_connections: maxConnections,
  receive_buffer_bytes: z
    .int()
    .min(4096)
    .max(256 * 1024 * 1024)
    .default(8 * 1024 * 1024)
    .describe('Size of the kernel’s buffer for datagrams. The kernel may give less; `caracal sources` shows what there is.'),
})

type Settings = z.output<typeof config>

/** Syslog messages in any format, over UDP, TCP and TLS. */
export const syslog = defineSource({
  type: 'syslog',
  summary: 'Receives syslog messages over UDP, TCP and TLS.',
  config,
  example: { id: 'syslog', log_types: ['Syslog.RFC3164', 'Syslog.RFC5424'] },
  onlyReceives: true,
  pushes: (settings, deps) => SyslogIntake.open(settings, deps),
})

/** Memory for incomplete messages of all connections. Beyond it, what there is of a message becomes one. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** Lost datagrams are reported for this long. */
const RECENT_MS = 3_600_000

export class SyslogIntake implements Intake {
  readonly #settings: Settings
  readonly #deps: IntakeDeps
  readonly #queue: MessageQueue
  #heldBytes = 0
  #server: SocketServer | undefined
  #udp: UdpSocket | undefined
  /** Datagrams that were lost because the queue was full. */
  #overflow = 0
  #lost = { count: 0, lastMs: 0 }

  /** Rejects with `ConfigError` if it cannot listen, or if the files of `tls` cannot be used. */
  static async open(settings: Settings, deps: IntakeDeps): Promise<SyslogIntake> {
    const intake = new SyslogIntake(settings, deps)
    try {
      await intake.#open()
      return intake
    } catch (error) {
      await intake.close()
      if (error instanceof ConfigError) throw new ConfigError(`source '${settings.id}': ${error.message}`, {}, { cause: error })
      throw error
    }
  }

  private constructor(settings: Settings, deps: IntakeDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#queue = new MessageQueue(deps, 'syslog-messages')
  }

  /** The port in use, of TCP if there is TCP. */
  get port(): number {
    return this.#server?.port ?? this.#udp!.address().port
  }

  status(): IntakeStatus {
    const udp = this.#udp && this.#udpStatus(this.#udp)
    const refused = this.#server?.problem
    const problems = [...(refused ? [refused] : []), ...(this.#queue.problem ? [`messages wait: ${this.#queue.problem}`] : [])]
    const connections = this.#server ? [`${this.#server.connections} connections`] : []
    return { notices: [...connections, ...(udp?.notices ?? []), ...problems], problems, lost: udp?.lost }
  }

  /** What was received before is put into the spool. */
  async close(): Promise<void> {
    this.#udp?.close()
    this.#udp = undefined
    // Connections may wait for room.
    this.#queue.stop()
    await this.#server?.close()
    await this.#queue.close()
  }

  async #open(): Promise<void> {
    const { transports, tls, listen, max_connections } = this.#settings
    if (transports.includes('tls') !== (tls !== undefined))
      throw new ConfigError('the transport `tls` and the key `tls` with a certificate are only of use together')
    if (transports.includes('tls') && transports.includes('tcp'))
      throw new ConfigError('a port cannot take both `tcp` and `tls`: give each a source of its own')
    if (transports.includes('tls') || transports.includes('tcp')) {
      this.#server = await SocketServer.open({
        listen,
        maxConnections: max_connections,
        tls: tls && tlsOptions(tls, this.#deps.secret),
        serve: (socket) => this.#serve(socket),
        now: this.#deps.now,
      })
    }
    if (transports.includes('udp')) await this.#openUdp()
  }

  async #openUdp(): Promise<void> {
    const { listen, receive_buffer_bytes } = this.#settings
    const { host, port } = hostAndPort(listen)
    const udp = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: receive_buffer_bytes })
    // With `port: 0`, both have the same.
    const shared = port === 0 && this.#server ? this.#server.port : port
    await listening(() => udp.bind(shared, host), udp, `${listen} (UDP)`)
    udp.on('message', (datagram, sender) => this.#datagram(datagram, sender))
    // ICMP errors of senders that have gone; the socket goes on.
    udp.on('error', () => {})
    this.#udp = udp
  }

  async #serve(socket: Socket): Promise<void> {
    const sender = socket.remoteAddress ?? 'unknown'
    const frames = new SyslogFrames(this.#settings.max_message_bytes, (message) =>
      this.#queue.add(syslogMessage(sender, message)),
    )
    let held = 0
    try {
      for await (const piece of socket as AsyncIterable<Buffer>) {
        frames.push(piece)
        if (this.#heldBytes - held + frames.capacity > MAX_HELD_BYTES) frames.cut()
        this.#heldBytes += frames.capacity - held
        held = frames.capacity
        // Nothing more is read meanwhile, so the sender has to wait: this protocol has no other way to say so.
        await this.#queue.room()
      }
    } finally {
      this.#heldBytes -= held
      frames.end()
    }
  }

  #datagram(datagram: Buffer, { address }: RemoteInfo): void {
    const message = trimEnd(datagram)
    if (!message.some((byte) => byte > 0x20)) return
    if (this.#queue.isFull) this.#overflow++
    else this.#queue.add(syslogMessage(address, message))
  }

  #udpStatus(udp: UdpSocket) {
    const dropped = droppedDatagrams(udp.address())
    const count = (dropped ?? 0) + this.#overflow
    const now = this.#deps.now()
    if (count > this.#lost.count) this.#lost = { count, lastMs: now }
    const wanted = this.#settings.receive_buffer_bytes
    // Linux doubles the size for its own use, and answers with that.
    const size = udp.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1)
    const less = size < wanted ? `, less than the ${wanted} asked for: raise net.core.rmem_max` : ''
    const buffer = `The buffer for datagrams has ${size} bytes${less}`
    const drops = dropped === undefined ? 'The system does not tell how many datagrams it drops' : `${count} datagrams were lost`
    const isRecent = this.#lost.count > 0 && now - this.#lost.lastMs <= RECENT_MS
    const lost = `${count} datagrams were lost since the start, the last at ${new Date(this.#lost.lastMs).toISOString()}`
    return { notices: [buffer, drops], lost: isRecent ? `${lost}. ${buffer}` : undefined }
  }
}
