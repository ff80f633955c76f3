import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { RawRecord } from '../../src/util/kafka/internals.ts'
import type { Servers } from './servers.ts'

/** A body in the spool of a cluster, by the offset after it. */
export interface Spooled {
  readonly id: number
  readonly decoding: string
  readonly receivedMs: number
  readonly body: Buffer
}

interface Decoder {
  readonly offset: number
}

const load = createRequire(import.meta.url)
const LogDecoder = load('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder
const nextBatch = load('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: Decoder,
) => Promise<{ readonly records: readonly RawRecord[] }>

/**
 * The bodies of a source that were ever appended, in order, from the files of the broker: no client can read what has been committed, since
 * the active node deletes it, but the broker keeps the segment to which it appends.
 */
export async function spooledOf(servers: Servers, source: string): Promise<Spooled[]> {
  const folder = join(servers.broker.folder, 'data', `${servers.config.spool.topic_prefix}.${source}-0`)
  const files = readdirSync(folder).filter((name) => name.endsWith('.log'))
  const found: Spooled[] = []
  for (const file of files.sort()) {
    const bytes = readFileSync(join(folder, file))
    const decoder = new LogDecoder(bytes)
    while (decoder.offset < bytes.length) found.push(...(await nextBatch(decoder)).records.map(spooled))
  }
  return found
}

function spooled({ offset, value, headers }: RawRecord): Spooled {
  const { decoding, received, parts } = headers
  if (value === null || parts !== undefined) throw new Error(`the message at offset ${offset} is not a whole body`)
  return { id: Number(offset) + 1, decoding: String(decoding), receivedMs: Number(String(received)), body: value }
}
