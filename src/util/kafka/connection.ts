import { z } from 'zod'
import { isLoopback } from '../loopback.ts'
import { type SecretReference, secretReference } from '../secret.ts'
import type { KafkaOptions } from './client.ts'

const sasl = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).describe('How to log in.'),
  username: z.union([z.string().min(1), secretReference]).describe('User name.'),
  password: secretReference.describe('Password.'),
})

const tls = z
  .strictObject({
    ca: secretReference.optional().describe('Certificates of the authorities to trust, PEM. Default: those of the system.'),
    cert: secretReference.optional().describe('Client certificate, PEM.'),
    key: secretReference.optional().describe('Private key of the client certificate, PEM.'),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'a client certificate takes both `cert` and `key`')

/** The keys with which a configuration names a cluster. */
export const kafkaConnection = {
  brokers: z
    .array(z.string().regex(/^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253}):\d{1,5}$/i, 'as in kafka1.example.com:9092'))
    .min(1)
    .max(50)
    .describe('Addresses of some of the brokers, as host:port; the others are found through them.'),
  tls: tls.optional().describe('Connects with TLS; `{}` if nothing else is needed. Default: without TLS.'),
  sasl: sasl.optional().describe('Credentials. Default: none.'),
} as const

export interface KafkaConnection {
  readonly brokers: readonly string[]
  readonly tls?: z.output<typeof tls> | undefined
  readonly sasl?: z.output<typeof sasl> | undefined
}

/** Why a login would send its password where anyone on the way can read it; `undefined`: it does not. */
export function plainLoginProblem({ brokers, tls: isEncrypted, sasl: login }: KafkaConnection): string | undefined {
  if (login?.mechanism !== 'plain' || isEncrypted || brokers.every((broker) => isLoopback(hostOf(broker)))) return undefined
  return 'the mechanism `plain` sends the password as it is, which anyone on the way can read: add `tls`, or use scram-sha-256'
}

/** With secrets read by `secret`. Throws what that throws if one is not there. */
export function kafkaOptions(
  { brokers, tls: files, sasl: login }: KafkaConnection,
  secret: (reference: SecretReference) => string,
): KafkaOptions {
  const { ca, cert, key } = files ?? {}
  return {
    brokers,
    tls: files && {
      ...(ca && { ca: secret(ca) }),
      ...(cert && { cert: secret(cert) }),
      ...(key && { key: secret(key) }),
    },
    sasl: login && {
      mechanism: login.mechanism,
      username: typeof login.username === 'string' ? login.username : secret(login.username),
      password: secret(login.password),
    },
  }
}

function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replace(/^\[|\]$/g, '')
}
