import type { Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { testAuthority } from './certificates.ts'
import { listening, portOf } from './servers.ts'
import type { OtherSide } from './vendors.ts'

export interface MailServerOptions {
  readonly password: string
  /** Connections begin with TLS rather than change to it. */
  readonly isImplicit?: boolean
  /** False: it does not offer to change to TLS. */
  readonly isTls?: boolean
}

/** A message as the server got it. */
export interface Mail {
  readonly to: readonly string[]
  /** The message with its headers, as it was sent. */
  readonly raw: string
}

type Step = 'connect' | 'auth' | 'sender' | 'recipient' | 'data'

/** A real SMTP server with TLS and sign-in (user `caracal`) on 127.0.0.1. Its refusals quote the password. */
export class MailServer implements OtherSide {
  readonly received: Mail[] = []
  connections = 0
  readonly trusted: { readonly ca: string[] }
  /** The status with which a step is refused; of recipients, by address or all (`*`). */
  refuses: Partial<Record<Exclude<Step, 'recipient'>, number>> & { recipient?: Readonly<Record<string, number>> } = {}
  readonly #password: string
  readonly #server: SMTPServer
  #hangs: (() => void) | undefined

  constructor({ password, isImplicit = false, isTls = true }: MailServerOptions) {
    this.#password = password
    const authority = testAuthority()
    this.trusted = { ca: [authority.certificate] }
    this.#server = new SMTPServer({
      ...authority.server(),
      secure: isImplicit,
      disabledCommands: isTls ? [] : ['STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 1,
      logger: false,
      onConnect: (_, done) => (this.#hangs ? this.#hangs() : done(this.#refusal(this.refuses.connect))),
      onAuth: ({ username, password: given }, _, done) => {
        const isRight = username === 'caracal' && given === password
        const refusal = this.#refusal(this.refuses.auth ?? (isRight ? undefined : 535))
        if (refusal) done(refusal)
        else done(null, { user: 'caracal' })
      },
      onMailFrom: (_address, _, done) => done(this.#refusal(this.refuses.sender)),
      onRcptTo: ({ address }, _, done) => done(this.#refusal(this.refuses.recipient?.[address] ?? this.refuses.recipient?.['*'])),
      onData: (stream, { envelope }, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const refusal = this.#refusal(this.refuses.data)
          if (!refusal)
            this.received.push({ to: envelope.rcptTo.map(({ address }) => address), raw: Buffer.concat(chunks).toString() })
          done(refusal)
        })
      },
    })
    this.#server.on('error', () => {})
    this.#server.server.on('connection', () => this.connections++)
  }

  readonly failures = Object.fromEntries<() => void>([
    ...(
      [
        ['connect', 421],
        ['connect', 554],
        ['auth', 454],
        ['auth', 535],
        ['sender', 451],
        ['sender', 550],
        ['data', 452],
        ['data', 554],
      ] as const
    ).map(([step, status]) => [`${step} ${status}`, () => this.#refuse({ [step]: status })] as const),
    ...[450, 550].map((status) => [`recipients ${status}`, () => this.#refuse({ recipient: { '*': status } })] as const),
    ['a broken connection', () => this.#meet((socket) => socket.destroy())],
    ['no SMTP', () => this.#meet((socket) => socket.end(`HTTP/1.1 400 ${this.#password}\r\n\r\n`))],
  ])

  hang(arrived: () => void): void {
    this.#hangs = arrived
  }

  async listen(): Promise<this> {
    await listening(this.#server.server)
    return this
  }

  get url(): string {
    return `smtp://127.0.0.1:${portOf(this.#server.server)}`
  }

  async close(): Promise<void> {
    if (this.#server.server.listening) await new Promise<void>((resolve) => this.#server.close(resolve))
  }

  #refuse(refuses: MailServer['refuses']): void {
    this.refuses = refuses
  }

  #meet(first: (socket: Socket) => void): void {
    // Node 20 may crash if a connection is destroyed under a TLS server, so that server does not get to see it.
    this.#server.server.removeAllListeners('connection').on('connection', (socket: Socket) => {
      socket.on('error', () => {})
      first(socket)
    })
  }

  #refusal(status: number | undefined): Error | null {
    return status === undefined ? null : Object.assign(new Error(`no: ${this.#password}`), { responseCode: status })
  }
}
