import type { z } from 'zod'
import type { BatchSource, CursorDeps } from '../source.ts'
import { type StreamSettings, streamParameters } from '../stream-keys.ts'
import { ListingFinder } from './listing-finder.ts'
import { ObjectSource } from './object-source.ts'
import type { objectKeys } from './prefixes.ts'
import type { ObjectStore } from './store.ts'
import { takenOf } from './taken.ts'

type ObjectConfig = { readonly id: string } & StreamSettings & z.output<z.ZodObject<typeof objectKeys>>

/** The source for a store whose objects are found by listing them. */
export function listedObjects(store: ObjectStore, config: ObjectConfig, deps: CursorDeps): BatchSource {
  const { id, prefixes, poll_ms: pollMs, max_object_bytes: maxObjectBytes } = config
  const taken = takenOf(config, deps.cursors)
  const finder = new ListingFinder({ store, prefixes, taken, pollMs, now: deps.now })
  const stream = streamParameters(config)
  return new ObjectSource({ id, encoding: config.encoding, store, stream, prefixes, taken, finder, maxObjectBytes, deps })
}
