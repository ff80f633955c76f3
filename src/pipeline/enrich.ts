import type { Event } from '../model/event.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { Enricher } from '../stages/enrich/table.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import { isolate } from './faults.ts'
import { internalLetter } from './internal-letter.ts'
import type { Parsed } from './steps.ts'

/**
 * Joins the tables to the events, in place, without rows that had expired when the batch was received. An event for which that fails is
 * dead-lettered as `internal`.
 */
export async function enrichBatch(batch: Parsed, sourceId: string, enricher: Enricher, receivedMs: number): Promise<Parsed> {
  try {
    for (const { schema, events } of batch.groups) enricher.enrich(schema, events, { atMs: receivedMs })
    return batch
  } catch {
    return enrichApart(batch, sourceId, enricher, receivedMs)
  }
}

async function enrichApart(batch: Parsed, sourceId: string, enricher: Enricher, receivedMs: number): Promise<Parsed> {
  const groups: ParsedEvents[] = []
  const letters: DeadLetter[] = []
  for (const { schema, events } of batch.groups) {
    const join = async (some: readonly Event[]) => enricher.enrich(schema, some as Event[], { atMs: receivedMs })
    const { fine, atFault } = await isolate(events, join, events.length * 2)
    if (fine.length > 0) groups.push({ schema, events: [...fine] })
    for (const { item, error } of atFault) letters.push(internalLetter(item, sourceId, error))
  }
  return { ...batch, groups, deadLetters: [...batch.deadLetters, ...letters] }
}
