import type { Event } from '../model/event.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import { UnfitRows } from '../util/block/writer.ts'
import { isolate } from './faults.ts'
import { internalLetter } from './internal-letter.ts'
import type { Encoded, Parsed } from './steps.ts'

/** Encodes events for storage. An event that cannot be encoded is dead-lettered as `internal`; its findings stay. */
export async function encodeBatch<T extends Parsed, Rows>(
  batch: T,
  sourceId: string,
  encode: (group: ParsedEvents) => Rows,
): Promise<T & Encoded<Rows>> {
  const groups: ParsedEvents[] = []
  const encoded: Rows[] = []
  const stored = new Map<string, number>()
  const letters: DeadLetter[] = []
  const unfit: ParsedEvents[] = []
  const add = (group: ParsedEvents) => {
    if (group.events.length === 0) return
    encoded.push(encode(group))
    groups.push(group)
    stored.set(group.schema.name, (stored.get(group.schema.name) ?? 0) + group.events.length)
  }
  for (const group of batch.groups) {
    try {
      add(group)
    } catch (error) {
      const { fine, atFault } = await faultsOf(group, error, encode)
      for (const { item, error: why } of atFault) letters.push(internalLetter(item, sourceId, why))
      unfit.push({ ...group, events: atFault.map(({ item }) => item) })
      add({ ...group, events: [...fine] })
    }
  }
  const deadLetters = letters.length > 0 ? [...batch.deadLetters, ...letters] : batch.deadLetters
  return { ...batch, groups, encoded, stored, unfit, deadLetters }
}

/** Finds the events at fault: from the error if it names them, else by halving. */
async function faultsOf({ schema, events }: ParsedEvents, error: unknown, encode: (group: ParsedEvents) => unknown) {
  if (!(error instanceof UnfitRows))
    return isolate(events, async (some) => encode({ schema, events: [...some] }), 2 * events.length)
  const reasons = error.rows
  return {
    fine: events.filter((_, row) => !reasons.has(row)),
    atFault: [...reasons].map(([row, why]): { item: Event; error: unknown } => ({ item: events[row]!, error: new Error(why) })),
  }
}
