import { z } from 'zod'
import { ConfigError } from '../../util/errors.ts'
import { MAIL_ADDRESS } from '../../util/mail-address.ts'
import { secretReference } from '../../util/secret.ts'
import { defineDestination, peopleBase } from './destination.ts'
import { mailerOf } from './mailer.ts'

const PORTS = { starttls: 587, implicit: 465, none: 25 } as const
const address = z.string().regex(MAIL_ADDRESS, 'an e-mail address, as in soc@example.com')

/** One message per alert and recipient list, in a thread with the alert's other messages. */
export const email = defineDestination({
  type: 'email',
  summary: 'Sends each alert by e-mail (SMTP).',
  config: z.object({
    ...peopleBase,
    host: z
      .string()
      .regex(/^[A-Za-z0-9:](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'the name or address of a server, without a port')
      .describe('Mail server (SMTP).'),
    port: z.int().min(1).max(65_535).optional().describe('Its port. Default: 587, or what is usual for `tls`.'),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe('`starttls`: the connection must change to TLS (587); `implicit`: it begins with TLS (465); `none` (25).'),
    username: z.string().min(1).max(320).optional().describe('User name, if the server wants one.'),
    password: secretReference.optional().describe('Password of that user.'),
    from: address.describe('Sender.'),
    to: z.array(address).min(1).max(50).describe('Recipients.'),
  }),
  example: {
    id: 'mail',
    host: 'smtp.example.com',
    username: 'caracal',
    password: { env: 'SMTP_PASSWORD' },
    from: 'caracal@example.com',
    to: ['soc@example.com'],
  },
  isLocal: false,

  async create({ host, port, tls, username, password, from, to }, { secret, trusted }) {
    if ((username === undefined) !== (password === undefined))
      throw new ConfigError('`username` and `password` are only of use together')
    if (tls === 'none' && password !== undefined)
      throw new ConfigError('a password is not sent without TLS: remove `tls: none`, or `username` and `password`')
    const auth = username === undefined || password === undefined ? undefined : { user: username, pass: secret(password) }
    return mailerOf({ host, port: port ?? PORTS[tls], tls, auth, trusted, from, to })
  },
})
