import type { News, NewsKind } from '../../model/news.ts'
import type { ProblemWhat } from '../../model/system-problem.ts'
import { healthOf } from '../health.ts'
import type { LastingProblem, Problems } from '../problems.ts'

/** What is said when a problem of a kind begins, and when it is over. */
const KINDS: Partial<Record<ProblemWhat, readonly [begun: NewsKind, over: NewsKind]>> = {
  SourceSilent: ['source.silent', 'source.resumed'],
  TableStale: ['table.failing', 'table.recovered'],
  TableRefused: ['table.failing', 'table.recovered'],
  TableRefreshFailed: ['table.failing', 'table.recovered'],
  RuleOff: ['rule.off', 'rule.on'],
}

/** Publishes problems that begin and problems that are over, and then the health that follows; `also` is called before. */
export function problemNews(
  problems: Pick<Problems, 'current'>,
  publish: (news: News) => void,
  also: Problems['onChange'],
): Problems['onChange'] {
  const say = (all: readonly LastingProblem[], at: 0 | 1) => {
    for (const { what, key, message } of all) {
      const kind = KINDS[what]?.[at]
      if (kind) publish({ kind, subject: key, message: at === 0 ? message : undefined })
    }
  }
  return (begun, gone) => {
    also(begun, gone)
    say(begun, 0)
    say(gone, 1)
    const { status } = healthOf(problems.current)
    const first = begun[0]?.message ?? `Resolved: ${gone[0]!.message}`
    publish({ kind: 'health.changed', subject: status, message: first })
  }
}
