import { z } from 'zod'
import type { Condition } from '../../../model/condition/condition.ts'
import { ConfigError } from '../../../util/errors.ts'
import { type ExpressionDocument, inlineFiltersDocument } from './document.ts'
import { readExpressions } from './expression.ts'
import { checkDocument } from './parse.ts'

const eventsDocument = z.object({ Events: z.object({ Detection: inlineFiltersDocument }) })

/**
 * The condition on events that write rows of a table: `Events.Detection` of its YAML. The events have not been joined with tables yet.
 *
 * @throws {ConfigError} with file and path.
 */
export function readEventsDetection(document: unknown, file: string): Condition {
  const { Detection: expressions } = checkDocument(eventsDocument, { Events: { Detection: document } }, file).Events
  const place = { file, path: 'Events.Detection' }
  if (expressions.some(readsTables))
    throw new ConfigError('events are not joined with tables yet: test a field of the event instead of Enrichment', place)
  return readExpressions(expressions, place)
}

function readsTables({ Enrichment, All = [], Any = [], OnlyOne = [], None = [], Expressions = [] }: ExpressionDocument): boolean {
  return Enrichment !== undefined || [...All, ...Any, ...OnlyOne, ...None, ...Expressions].some(readsTables)
}
