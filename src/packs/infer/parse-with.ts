import type { Event } from '../../model/event.ts'
import type { DeadLetter } from '../../model/outcome.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import { createParser } from '../../stages/parse/step.ts'
import type { Sample } from './sample.ts'

export interface SampleResult {
  readonly received: number
  readonly events: readonly Event[]
  readonly deadLetters: readonly DeadLetter[]
  /** Field that the schema does not have → in how many events it is. */
  readonly unknown: ReadonlyMap<string, number>
}

/** Events that are too large or too deep are refused as in a server with its default settings. */
const LIMITS = { maxRecordBytes: 10 * 1024 * 1024, maxDepth: 100 }

/** What one schema makes of a sample, as if its source named that log type; or, of several, what is recognised by itself. */
export function parseWith(
  schemas: CompiledSchema | readonly CompiledSchema[],
  sample: Sample,
  receivedMs = Date.now(),
): SampleResult {
  const parser = createParser(LIMITS)
  const named = 'name' in schemas ? { schemas: [schemas], isNamed: true, logType: schemas.name } : undefined
  const source = {
    id: 'sample',
    label: 'sample',
    ...(named ?? { schemas: schemas as readonly CompiledSchema[], isNamed: false, logType: undefined }),
  }
  const events: Event[] = []
  const deadLetters: DeadLetter[] = []
  const unknown = new Map<string, number>()
  let received = 0
  let context = ''
  for (const chunk of sample.chunks) {
    if (chunk.offset === 0) context = ''
    const result = parser.parse({ ...chunk, context }, source, receivedMs)
    context = result.context
    received += result.received
    for (const group of result.groups) for (const event of group.events) events.push(event)
    for (const letter of result.deadLetters) deadLetters.push(letter)
    for (const [key, n] of result.unknownFields) {
      const field = key.slice(key.indexOf('\t') + 1)
      unknown.set(field, (unknown.get(field) ?? 0) + n)
    }
  }
  return { received, events, deadLetters, unknown }
}
