import type { Event } from '../model/event.ts'
import { effectsOfRows } from '../pipeline/effects.ts'
import { judgeEvents } from '../pipeline/judge.ts'
import { type MailRoute, rowsDelivery, withDelivery } from '../pipeline/rows-mail.ts'
import { queryLogType } from '../stages/detect/language.ts'
import { type QueryRows, rowsToEvents } from '../stages/detect/scheduled/rows.ts'
import type { OpenContent } from './open-content.ts'
import { type JudgedRows, judgedRows, metaOf } from './queries/judged-rows.ts'
import type { Reading } from './reading.ts'

/**
 * Judges a scheduled query's rows with the rules that name it. The results, and the mail with the rows if somebody gets them, are stored
 * together with the due time.
 */
export async function judgeRows(
  answer: QueryRows,
  { generation, tables, report }: Pick<OpenContent, 'generation' | 'tables' | 'report'>,
  reading: Pick<Reading, 'loop' | 'holds'>,
  route: MailRoute | undefined,
): Promise<JudgedRows> {
  const { loop } = reading
  const events = rowsToEvents(answer) as Event[]
  // Started before its turn to commit, as batches are: the order of judging is the order of committing.
  const rows = tables.enricherWith([])(generation.written?.latest()).rowsAt(answer.dueMs)
  const groups = [{ logType: queryLogType(answer.query), events }]
  const judged = loop.inOrder(() => judgeEvents(groups, generation.detectors, rows))
  reading.holds(judged)
  const query = report.queries.find(({ name }) => name === answer.query)
  await loop.other(async (deps) => {
    const effects = await effectsOfRows(await judged, metaOf(answer), deps)
    const mailed = route && query?.email && { description: query.description, email: query.email }
    return withDelivery(effects, mailed && rowsDelivery(answer, mailed, route, deps.nowMs))
  }, generation)
  return judgedRows(await judged)
}
