import { z } from 'zod'
import type { QueryLimits } from './engine.ts'

const MIB = 1024 * 1024

/** Keys of the configuration that every lake has. */
export const LAKE_KEYS = {
  readers: z.int().min(1).max(16).default(2).describe('Number of queries that can run at the same time.'),
  max_query_bytes: z
    .int()
    .min(64 * MIB)
    .default(1024 * MIB)
    .describe('Memory limit for one query, in bytes.'),
  max_result_bytes: z
    .int()
    .min(MIB)
    .default(64 * MIB)
    .describe('Maximum size of a query result, in bytes.'),
  fsync: z
    .boolean()
    .default(true)
    .describe('Sync every insert to disk, so that a power cut loses nothing. Applies to tables created from now on.'),
} as const

/** The limits of queries that a configuration sets. */
export function queryLimits(
  config: { readonly max_query_bytes: number; readonly max_result_bytes: number },
  maxQueryMs: number,
): QueryLimits {
  return { maxQueryMs, maxQueryBytes: config.max_query_bytes, maxResultBytes: config.max_result_bytes }
}
