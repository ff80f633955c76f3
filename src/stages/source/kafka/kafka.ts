import { z } from 'zod'
import { ConfigError } from '../../../util/errors.ts'
import { type KafkaOptions, kafkaClient, kafkaLibrary } from '../../../util/kafka/client.ts'
import { KafkaGroup } from '../../../util/kafka/group.ts'
import { secretReference } from '../../../util/secret.ts'
import { defineSource, type Outside, sourceBase } from '../source.ts'
import { KafkaSource } from './kafka-source.ts'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):/

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

/** Topics of Kafka, or of what speaks its protocol. */
export const kafka = defineSource({
  type: 'kafka',
  summary: 'Reads topics of Kafka (or Redpanda, or Azure Event Hubs) as a member of a consumer group.',
  config: z.object({
    ...sourceBase,
    brokers: z
      .array(z.string().regex(/^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253}):\d{1,5}$/i, 'as in kafka1.example.com:9092'))
      .min(1)
      .max(50)
      .describe('Addresses of some of the brokers, as host:port; the others are found through them.'),
    topics: z
      .array(z.string().regex(/^[a-z0-9._-]{1,249}$/i, 'the name of a topic'))
      .min(1)
      .max(100)
      .describe('Topics to read.'),
    group: z.string().min(1).max(255).optional().describe('Consumer group. Default: `caracal-` and the id of the source.'),
    start: z
      .enum(['earliest', 'latest'])
      .default('earliest')
      .describe('Where reading begins in a partition that this group has never read.'),
    tls: tls.optional().describe('Connects with TLS; `{}` if nothing else is needed. Default: without TLS.'),
    sasl: sasl.optional().describe('Credentials. Default: none.'),
  }),
  example: { id: 'events', brokers: ['kafka1.example.com:9092'], topics: ['zeek'], log_types: ['Zeek.Conn'] },
  seekable(config, deps) {
    kafkaLibrary()
    const { id, brokers, topics, start, tls: isEncrypted, sasl: login, group = `caracal-${id}` } = config
    if (login?.mechanism === 'plain' && !isEncrypted && !brokers.every((broker) => LOOPBACK.test(broker)))
      throw new ConfigError(
        `source '${id}': the mechanism \`plain\` sends the password as it is, which anyone on the way can read: add \`tls\`, or use scram-sha-256`,
      )
    const client = () => kafkaClient(optionsOf(config, deps.outside))
    return new KafkaSource({ id, start, deps, join: (member) => new KafkaGroup({ client, group, topics }, member) })
  },
})

interface Connection {
  readonly brokers: readonly string[]
  readonly tls?: z.output<typeof tls> | undefined
  readonly sasl?: z.output<typeof sasl> | undefined
}

/** Throws `ConfigError` if a secret is not there. */
function optionsOf({ brokers, tls: files, sasl: login }: Connection, { secret }: Outside): KafkaOptions {
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
