import type { SMTPSentMessageInfo } from 'nodemailer'
import { Refused, RetryLater } from '../../util/errors.ts'
import type { Trusted } from '../../util/http/http.ts'
import type { Destination } from './destination.ts'
import { mailFailure, refusedRecipients } from './mail-failure.ts'
import { type MailContent, mailContent } from './mail-message.ts'
import { type RowsContent, rowsContent } from './rows-message.ts'

export interface MailerOptions {
  readonly host: string
  readonly port: number
  readonly tls: 'starttls' | 'implicit' | 'none'
  readonly auth: { readonly user: string; readonly pass: string } | undefined
  readonly trusted: Trusted
  readonly from: string
  readonly to: readonly string[]
}

const CONNECT_TIMEOUT_MS = 10_000
const SILENCE_TIMEOUT_MS = 30_000
const TIMEOUT_MS = 60_000
/** Deliveries whose accepted recipients are remembered between attempts. */
const MAX_PARTIAL = 1000

/** Sends a message per delivery, each through a connection of its own. */
export async function mailerOf(options: MailerOptions): Promise<Destination> {
  const { host, port, tls, auth, trusted, from, to } = options
  // Loaded here, because most installations send no mail.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    // Without `forceAuth`, a server that offers no sign-in gets the mail without one.
    ...(auth && { auth, forceAuth: true }),
    tls: { ...trusted, minVersion: 'TLSv1.2' },
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
  })
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const place = `the mail server at ${host.includes(':') ? `[${host}]` : host}:${port}`
  /** Recipients who already have a delivery that others do not have yet, so that a retry does not reach them twice. */
  const accepted = new Map<string, readonly string[]>()

  /** Sends a message to the recipients who do not have it yet. */
  async function transmit(
    id: string,
    content: MailContent | RowsContent,
    all: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const before = accepted.get(id) ?? []
    const missing = all.filter((recipient) => !before.includes(recipient))
    const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const message = {
      ...content,
      attachments: 'attachments' in content ? [...content.attachments] : [],
      from: { name: 'Caracal', address: from },
      to: [...all],
      envelope: { from, to: missing },
      disableFileAccess: true,
      disableUrlAccess: true,
      signal: within,
    }
    accepted.delete(id)
    try {
      const { rejected, rejectedErrors }: SMTPSentMessageInfo = await transport.sendMail(message)
      if (rejected.length === 0) return
      const isRefused = new Set(rejected.map((one) => String(one).toLowerCase()))
      const refused = missing.filter((one) => isRefused.has(one.toLowerCase()))
      accepted.set(id, [...before, ...missing.filter((one) => !refused.includes(one))])
      if (accepted.size > MAX_PARTIAL) accepted.delete(accepted.keys().next().value!)
      throw refusedRecipients(refused, rejectedErrors ?? [], place)
    } catch (error) {
      if (error instanceof RetryLater || error instanceof Refused) throw error
      if (before.length > 0) accepted.set(id, before)
      if (within.aborted) throw new RetryLater(`${place}: ${signal.aborted ? 'stopped' : `no end within ${TIMEOUT_MS / 1000} s`}`)
      throw mailFailure(error, missing, place)
    }
  }

  return {
    send: (delivery, signal) => transmit(delivery.id, mailContent(delivery, domain), to, signal),
    mail: (id, mail, signal) => transmit(id, rowsContent(id, mail, domain), mail.recipients, signal),
    async close() {
      transport.close()
    },
  }
}
