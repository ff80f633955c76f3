import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { resolveSecret } from '../config/env.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { KafkaSpool } from '../pipeline/kafka-spool/kafka-spool.ts'
import { openSqlite } from '../state/sqlite.ts'
import { StorageError } from '../util/errors.ts'
import { kafkaClient, kafkaLibrary } from '../util/kafka/client.ts'
import { kafkaOptions } from '../util/kafka/connection.ts'
import { kafkaInternals } from '../util/kafka/internals.ts'

export type KafkaSpoolConfig = Extract<SpoolConfig, { type: 'kafka' }>

/** A sender waits for the answer, and a broker that does not answer is not better later. */
const LIMITS = { connectMs: 3000, requestMs: 6000 }

/** What the spool's thread needs of the configuration. */
export function spoolOptions({ data_dir, spool, spool_max_bytes, spool_source_max_bytes }: Config) {
  const limits = { dataDir: data_dir, maxBytes: spool_max_bytes, maxSourceBytes: spool_source_max_bytes }
  return spool.type === 'kafka' ? { ...limits, kafka: spool } : limits
}

/** A client as the configuration says. Throws `ConfigError` for a secret that is not there, or if the library is not installed. */
export function spoolClient(config: KafkaSpoolConfig) {
  return kafkaClient(kafkaOptions(config, resolveSecret), LIMITS)
}

/**
 * The spool in topics of Kafka.
 *
 * @throws {StorageError} if bodies wait in the data folder's own spool, which nothing would read.
 * @throws {ConfigError} if the client library is not installed.
 */
export function openKafkaSpool(config: KafkaSpoolConfig, dataDir: string, onSpooled: (sourceId: string) => void): KafkaSpool {
  kafkaLibrary()
  kafkaInternals()
  refuseWaiting(dataDir)
  return new KafkaSpool({
    client: () => spoolClient(config),
    prefix: config.topic_prefix,
    mayCreate: config.create_topics,
    replicationFactor: config.replication_factor ?? -1,
    onSpooled,
  })
}

/** Bodies in the data folder's spool. 0 if it has none. */
export function waitingInFile(dataDir: string): number {
  const file = join(dataDir, 'spool.db')
  if (!existsSync(file)) return 0
  const db = openSqlite(file, { readonly: true })
  try {
    const [row] = db.prepare('SELECT count(*) AS n FROM spool').all([]) as { n: number }[]
    return row?.n ?? 0
  } finally {
    db.close()
  }
}

function refuseWaiting(dataDir: string): void {
  const waiting = waitingInFile(dataDir)
  if (waiting > 0)
    throw new StorageError(
      `${waiting} bodies wait in spool.db in the data folder ${dataDir}, and the configuration puts the spool on Kafka, where nothing would read them. Leave \`spool\` out of the configuration, start Caracal until \`caracal health\` shows that nothing waits, stop it, and set \`spool\` again.`,
    )
}
