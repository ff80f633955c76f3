import { KafkaFailure } from './link.ts'

/** What another try may cure, by Kafka's names. */
const PASSING = new Set([
  'BROKER_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'FENCED_LEADER_EPOCH',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'KAFKA_STORAGE_ERROR',
  'LEADER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_CONTROLLER',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_LEADER_FOR_PARTITION',
  'OFFSET_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
])

/** Whether another try may succeed: there was no answer, or one that says so. */
export function isPassing(error: unknown): boolean {
  return error instanceof KafkaFailure && (error.type === undefined || PASSING.has(error.type))
}

/** Whether the cluster has answered that it is not ready yet, as it does right after a topic was created. */
export function isNotReady(error: unknown): boolean {
  return error instanceof KafkaFailure && error.type !== undefined && PASSING.has(error.type)
}
