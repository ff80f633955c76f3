import type { SystemProblem } from '../model/system-problem.ts'
import type { Log } from '../telemetry/log.ts'
import type { ContentView, Health } from './engine.ts'
import type { SourceProgress } from './pipeline-calls.ts'
import { isFailing, type LastingProblem, type Problems } from './problems.ts'

/** The overall health that follows from these problems. */
export function healthOf(problems: readonly LastingProblem[], notices: readonly string[] = []): Health {
  const status = problems.some(isFailing) ? 'failing' : problems.length > 0 ? 'degraded' : 'ok'
  return { status, problems: problems.map(({ message }) => message), systemProblems: problems, notices }
}

/** Logs problems that begin and problems that are over. */
export function logChanges(log: Log): Problems['onChange'] {
  return (begun, gone) => {
    for (const problem of begun) {
      const { what, key, severity, message, batch } = problem
      const fields = { what, key, severity, ...batchFields(batch) }
      if (isFailing(problem)) log.error(fields, message)
      else log.warn(fields, message)
    }
    for (const { what, key, message, batch } of gone) log.info({ what, key, ...batchFields(batch) }, `Resolved: ${message}`)
  }
}

/** What every log line about a batch names it by. */
function batchFields(batch: SystemProblem['batch']): { source?: string; batch?: string } {
  return batch ? { source: batch.sourceId, batch: batch.batchId } : {}
}

/** Notices: those of sources, and the number of content notices. */
export function noticesOf({ notices }: ContentView, sources: readonly SourceProgress[]): string[] {
  const ofContent = notices.length > 0 ? [`Content has ${notices.length} notices; \`caracal validate\` lists them`] : []
  const ofSources = sources.flatMap(({ id, notices: all, problems = [] }) =>
    all.filter((notice) => !problems.includes(notice)).map((notice) => `${id}: ${notice}`),
  )
  return [...ofSources, ...ofContent]
}
