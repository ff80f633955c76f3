import type { Lake } from '../stages/store/lake.ts'

/** The calls that change the lake. */
const WRITES: ReadonlySet<PropertyKey> = new Set<keyof Lake>([
  'ensure',
  'store',
  'storeLookup',
  'showLookups',
  'removeSource',
  'retire',
  'importFile',
  'erase',
  'scrub',
])

/**
 * The same lake, which is only changed while `sure` resolves: a process that was stopped while another one has become the active one must
 * not store what that one has stored already, however long ago.
 */
export function sureLake(lake: Lake, sure: () => Promise<void>): Lake {
  return new Proxy(lake, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const call = value.bind(target) as (...args: unknown[]) => unknown
      return WRITES.has(key) ? (...args: unknown[]) => sure().then(() => call(...args)) : call
    },
  })
}
