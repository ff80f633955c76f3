import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { ConfigError, NotSupported } from '../errors.ts'
import { packGzip, type Uncompress, unpackGzip, unpackLz4, unpackSnappy, unpackZstd } from './codecs.ts'

/** How to reach a cluster. Secrets are values here, so each connection is given new ones, and they are not kept. */
export interface KafkaOptions {
  /** `host:port` of some of its brokers. */
  readonly brokers: readonly string[]
  /** PEM texts; `{}`: TLS with the certificate authorities of the system. Absent: no TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
  readonly sasl?: KafkaLogin | undefined
}

export interface KafkaLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

const CONNECT_MS = 10_000
const REQUEST_MS = 30_000
/** What fails longer than this is reported, and begun again by the caller. */
const RETRIES = 3

/** The client library, which is optional. Throws `ConfigError` if it is not installed. */
export function kafkaLibrary(): typeof import('kafkajs') {
  try {
    return createRequire(import.meta.url)('kafkajs')
  } catch (error) {
    throw new ConfigError(
      'Kafka needs the package `kafkajs`, which is not installed: run `npm install kafkajs`',
      {},
      { cause: error },
    )
  }
}

/** Adds the codecs that the library lacks, and a limit to the one that it has. */
function addCodecs({ CompressionCodecs, CompressionTypes: { GZIP, Snappy, LZ4, ZSTD } }: typeof import('kafkajs')): void {
  const all = CompressionCodecs as unknown as Record<number, () => object>
  const pack = async () => Promise.reject(new NotSupported('writing messages with this compression'))
  all[GZIP] = () => ({ compress: ({ buffer }: { buffer: Buffer }) => packGzip(buffer), decompress: unpackGzip })
  const others: [number, Uncompress][] = [
    [Snappy, unpackSnappy],
    [LZ4, unpackLz4],
    [ZSTD, unpackZstd],
  ]
  for (const [type, decompress] of others) all[type] = () => ({ compress: pack, decompress })
}

/** Time limits in milliseconds. */
export interface KafkaLimits {
  readonly connectMs: number
  readonly requestMs: number
}

/** A client of a Kafka cluster. Connects only when it is used. */
export function kafkaClient(
  { brokers, tls, sasl }: KafkaOptions,
  { connectMs, requestMs }: KafkaLimits = { connectMs: CONNECT_MS, requestMs: REQUEST_MS },
): Kafka {
  const library = kafkaLibrary()
  const { Kafka: Client, logLevel } = library
  addCodecs(library)
  return new Client({
    clientId: 'caracal',
    brokers: [...brokers],
    connectionTimeout: connectMs,
    authenticationTimeout: connectMs,
    requestTimeout: requestMs,
    // Its errors are thrown as well, and it would write to standard output.
    logLevel: logLevel.NOTHING,
    retry: { retries: RETRIES },
    ...(tls && { ssl: { ...tls } }),
    ...(sasl && { sasl: { ...sasl } as never }),
  })
}
