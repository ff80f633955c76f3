import { createSocket } from 'node:dgram'
import { connect, isIP, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { z } from 'zod'
import type { Severity } from '../../model/rule.ts'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { type Delivery, type DestinationDeps, defineDestination, destinationBase } from './destination.ts'
import { deliveryLine } from './json-line.ts'

const PORTS = { udp: 514, tcp: 601, tls: 6514 } as const
/** Severities of RFC 5424: critical, error, warning, notice, informational. */
const LEVELS: Readonly<Record<Severity, number>> = { CRITICAL: 2, HIGH: 3, MEDIUM: 4, LOW: 5, INFO: 6 }
const TIMEOUT_MS = 15_000
/** A receiver that has taken everything closes its side at once; one that does not has still taken it. */
const CLOSE_MS = 3000

/** RFC 5424 messages; over TCP and TLS with their length before them (RFC 6587, RFC 5425). */
export const syslog = defineDestination({
  type: 'syslog',
  summary: 'Sends each alert as a syslog message (RFC 5424) over UDP, TCP or TLS.',
  config: z.object({
    ...destinationBase,
    host: z
      .string()
      .regex(/^[A-Za-z0-9:](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'the name or address of a server, without a port')
      .describe('The receiver.'),
    transport: z
      .enum(['tls', 'tcp', 'udp'])
      .default('tcp')
      .describe('How to send. UDP loses messages without a notice, and truncates long ones.'),
    port: z.int().min(1).max(65_535).optional().describe('Its port. Default: 601, for TLS 6514, for UDP 514.'),
    facility: z.int().min(0).max(23).default(16).describe('Facility as a number; 16 is local0.'),
    max_bytes: z
      .int()
      .min(2048)
      .max(1024 * 1024)
      .default(8192)
      .describe(
        'Maximum size of a message in bytes. In a longer one, the details of the event and the texts of the rule are left out.',
      ),
  }),
  example: { id: 'syslog', host: 'syslog.example.com', transport: 'tls' },
  isLocal: false,

  async create({ host, transport, port = PORTS[transport], facility, max_bytes }, { trusted, now }) {
    const place = `the syslog server at ${host.includes(':') ? `[${host}]` : host}:${port} (${transport})`
    const outlet = transport === 'udp' ? datagram({ host, port }) : stream({ host, port, isTls: transport === 'tls', trusted })
    return {
      async send(delivery, signal) {
        const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
        try {
          await outlet(messageOfAlert(delivery, { facility, maxBytes: max_bytes, nowMs: now() }), within)
        } catch (error) {
          const why = signal.aborted ? 'stopped' : within.aborted ? `no end within ${TIMEOUT_MS / 1000} s` : messageOf(error)
          throw new RetryLater(`${place}: ${why}`, undefined, { cause: error })
        }
      },
      async close() {},
    }
  },
})

function messageOfAlert(
  delivery: Delivery,
  { facility, maxBytes, nowMs }: { facility: number; maxBytes: number; nowMs: number },
): Buffer {
  const { kind, alert } = delivery
  const name =
    hostname()
      .replace(/[^\x21-\x7e]/g, '')
      .slice(0, 255) || '-'
  const head = `<${facility * 8 + LEVELS[alert.severity]}>1 ${new Date(nowMs).toISOString()} ${name} caracal ${process.pid} ${kind} - `
  return Buffer.from(head + deliveryLine(delivery, maxBytes - head.length))
}

type Outlet = (message: Buffer, signal: AbortSignal) => Promise<void>

function datagram({ host, port }: { host: string; port: number }): Outlet {
  return (message) =>
    new Promise((resolve, reject) => {
      const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
      const end = (error?: Error | null) => {
        socket.close()
        if (error) reject(error)
        else resolve()
      }
      socket.once('error', end)
      socket.send(message, port, host, end)
    })
}

interface Stream {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly trusted: DestinationDeps['trusted']
}

/** A connection per message: what was sent on one that had ended unnoticed would be lost. */
function stream({ host, port, isTls, trusted }: Stream): Outlet {
  const name = isIP(host) === 0 ? { servername: host } : {}
  const begin = (): Socket =>
    isTls ? connectTls({ host, port, ...name, ...trusted, minVersion: 'TLSv1.2' }) : connect({ host, port })
  return (message, signal) =>
    new Promise((resolve, reject) => {
      const socket = begin()
      let timer: NodeJS.Timeout | undefined
      let isSent = false
      const end = (error?: Error) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
        socket.destroy()
        if (error) reject(error)
        else resolve()
      }
      const stop = () => end(new Error('stopped'))
      signal.addEventListener('abort', stop)
      if (signal.aborted) stop()
      socket.on('error', end)
      socket.once('close', () => end(isSent ? undefined : new Error('the connection was closed')))
      // Syslog has no answers; reading notices the end.
      socket.resume()
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        const framed = Buffer.concat([Buffer.from(`${message.length} `), message])
        socket.end(framed, () => {
          isSent = true
          timer = setTimeout(() => end(), CLOSE_MS)
        })
      })
    })
}
