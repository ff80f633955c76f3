import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError, messageOf } from '../util/errors.ts'
import { isLoopback } from '../util/loopback.ts'
import { secretReference } from '../util/secret.ts'
import { type Environment, resolveSecret } from './env.ts'

/** The parts of `state.url`. */
export interface DatabaseUrl {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

const SHAPE = 'it should look like postgres://caracal@db.example.com/caracal'
const PORT = 5432

/** The parts of the URL of a database, or what is wrong with it. */
export function databaseUrl(text: string): DatabaseUrl | string {
  if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) return `not the URL of a database: ${SHAPE}`
  const { hostname, port, username, password, pathname, search, hash } = new URL(text)
  // The message does not quote it.
  if (password) return 'a password is not written in the configuration: leave it out of the URL, and refer to it with `password`'
  if (search || hash) return 'the URL has options: leave them out, what there is to set are keys of this block'
  const parts = [username, pathname.slice(1), hostname].map(decoded)
  const [user, database, host] = parts
  if (!user || !database || !host || database.includes('/') || parts.some((part) => part.includes('\0')))
    return `the URL must name user, server and database: ${SHAPE}`
  return { user, database, host: host.replace(/^\[|\]$/g, ''), port: port === '' ? PORT : Number(port) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

const postgres = z.object({
  url: z
    .string()
    .superRefine((text, context) => {
      const parts = databaseUrl(text)
      if (typeof parts === 'string') context.addIssue({ code: 'custom', message: parts })
    })
    .describe(
      'User, server and database, as in `postgres://caracal@db.example.com/caracal`; the port is 5432 unless it names another.',
    ),
  password: secretReference
    .optional()
    .describe('Reference to the password of the user. Default: the server must not ask for one.'),
  tls: z
    .enum(['verify', 'off'])
    .optional()
    .describe(
      '`verify`: TLS, with a certificate for the name in `url` from a known authority. `off`: everything is sent in the clear. Default: `off` for a server on this machine (`localhost`, 127.0.0.1), otherwise `verify`.',
    ),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe("PEM file with the authorities that may have issued the server's certificate. Default: the standard ones."),
})

/** The `state` block, by type. */
export const stateSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('sqlite') }),
  z.strictObject({ type: z.literal('postgres'), ...postgres.shape }),
])

export type StateConfig = z.output<typeof stateSchema>

/** What a connection needs, with secrets resolved and files read. Throws `ConfigError`. */
export function databaseSettings(
  { url, password, tls, ca_file }: Extract<StateConfig, { type: 'postgres' }>,
  env: Environment,
): DatabaseUrl & { readonly password?: string; readonly tls?: { readonly ca?: string } } {
  const parts = databaseUrl(url)
  if (typeof parts === 'string') throw new ConfigError(parts, { path: 'state.url' })
  const isVerified = tls === 'verify' || (tls === undefined && !isLoopback(parts.host))
  return {
    ...parts,
    ...(password && { password: resolveSecret(password, env) }),
    ...(isVerified && { tls: ca_file === undefined ? {} : { ca: authorities(ca_file) } }),
  }
}

function authorities(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8')
    new X509Certificate(pem)
    return pem
  } catch (error) {
    throw new ConfigError(`${file} cannot be used as a PEM certificate file: ${messageOf(error)}`, { path: 'state.ca_file' })
  }
}
