import type { Config } from '../../config/config.ts'
import { sources as sourceDefinitions } from '../../stages/source/index.ts'
import { find } from '../../util/define.ts'
import { messageOf } from '../../util/errors.ts'
import { KafkaLink } from '../../util/kafka/link.ts'
import { topicConfig } from '../../util/kafka/log.ts'
import { type KafkaSpoolConfig, spoolClient, waitingInFile } from '../kafka-spool.ts'
import { type Examination, type Finding, failed, ok, warning } from './examination.ts'

const FOREVER = '-1'

/** Connects to the cluster of the spool as the configuration says, and checks the topics that exist. Creates none. */
export function kafkaSpoolExamination(
  { data_dir: dataDir, sources }: Pick<Config, 'data_dir' | 'sources'>,
  config: KafkaSpoolConfig,
): Examination {
  return {
    name: 'spool',
    async run() {
      const waiting = waitingInFile(dataDir)
      if (waiting > 0)
        return failed(
          `${waiting} bodies wait in spool.db, which nothing reads while the spool is on Kafka`,
          'start Caracal without `spool` in the configuration until they are processed',
        )
      const link = new KafkaLink(() => spoolClient(config))
      try {
        return await examined(link, config, pushed(sources))
      } catch (error) {
        return failed(`Kafka: ${messageOf(error)}`, 'correct `spool` in the configuration, or start the brokers')
      } finally {
        await link.close()
      }
    },
  }
}

async function examined(link: KafkaLink, config: KafkaSpoolConfig, sourceIds: readonly string[]): Promise<Finding> {
  const names = sourceIds.map((id) => `${config.topic_prefix}.${id}`)
  const { topics, nodes } = await link.topics(names)
  const wide = topics.find(({ partitions }) => partitions !== 1)
  if (wide)
    return failed(
      `topic '${wide.name}' has ${wide.partitions} partitions, and the spool needs 1`,
      'set another `topic_prefix`, or delete the topic',
    )
  if (topics.some(({ id }) => id === undefined)) return failed('the brokers do not give topics an id', 'use Kafka 2.8 or later')
  const missing = names.filter((name) => !topics.some((topic) => topic.name === name))
  if (missing.length > 0 && !config.create_topics)
    return failed(`topics are missing: ${missing.join(', ')}`, 'create them as docs/spool.md says, or set `create_topics: true`')
  for (const { name } of topics) {
    const settings = await topicConfig(link, name, ['retention.ms', 'retention.bytes', 'cleanup.policy'])
    const limited = ['retention.ms', 'retention.bytes'].find((key) => settings.get(key) !== FOREVER)
    if (settings.get('cleanup.policy') !== 'delete')
      return failed(`topic '${name}' has cleanup.policy=${settings.get('cleanup.policy')}`, 'set it to delete')
    if (limited)
      return warning(
        `topic '${name}' has ${limited}=${settings.get(limited)}: what waits longer, or is more, is lost`,
        'set retention.ms and retention.bytes of the topic to -1; Caracal deletes what it has read',
      )
  }
  const toCreate = missing.length > 0 ? `, and ${missing.length} of ${names.length} topics will be created` : ''
  return ok(`Kafka answers (${nodes.length} ${nodes.length === 1 ? 'broker' : 'brokers'})${toCreate}`)
}

function pushed(sources: Config['sources']): string[] {
  return sources.filter(({ type }) => !find('source', sourceDefinitions, type).seekable).map(({ id }) => id)
}
