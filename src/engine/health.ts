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
      const { what, key, severity, message } = problem
      if (isFailing(problem)) log.error({ what, key, severity }, message)
      else log.warn({ what, key, severity }, message)
    }
    for (const { what, key, message } of gone) log.info({ what, key }, `Resolved: ${message}`)
  }
}

/** Notices: those of sources, and the number of content notices. */
export function noticesOf({ notices }: ContentView, sources: readonly SourceProgress[]): string[] {
  const ofContent = notices.length > 0 ? [`Content has ${notices.length} notices; \`caracal validate\` lists them`] : []
  const ofSources = sources.flatMap(({ id, notices: all, problems = [] }) =>
    all.filter((notice) => !problems.includes(notice)).map((notice) => `${id}: ${notice}`),
  )
  return [...ofSources, ...ofContent]
}
