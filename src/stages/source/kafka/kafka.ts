import { z } from 'zod'
import { ConfigError } from '../../../util/errors.ts'
import { kafkaClient, kafkaLibrary } from '../../../util/kafka/client.ts'
import { kafkaConnection, kafkaOptions, plainLoginProblem } from '../../../util/kafka/connection.ts'
import { KafkaGroup } from '../../../util/kafka/group.ts'
import { defineSource, sourceBase } from '../source.ts'
import { KafkaSource } from './kafka-source.ts'

/** Topics of Kafka, or of what speaks its protocol. */
export const kafka = defineSource({
  type: 'kafka',
  summary: 'Reads topics of Kafka (or Redpanda, or Azure Event Hubs) as a member of a consumer group.',
  config: z.object({
    ...sourceBase,
    brokers: kafkaConnection.brokers,
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
    tls: kafkaConnection.tls,
    sasl: kafkaConnection.sasl,
  }),
  example: { id: 'events', brokers: ['kafka1.example.com:9092'], topics: ['zeek'], log_types: ['Zeek.Conn'] },
  seekable(config, deps) {
    kafkaLibrary()
    const { id, topics, start, group = `caracal-${id}` } = config
    const problem = plainLoginProblem(config)
    if (problem) throw new ConfigError(`source '${id}': ${problem}`)
    const client = () => kafkaClient(kafkaOptions(config, deps.outside.secret))
    return new KafkaSource({ id, start, deps, join: (member) => new KafkaGroup({ client, group, topics }, member) })
  },
})
