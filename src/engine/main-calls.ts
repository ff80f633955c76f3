import { systemProblem } from '../model/system-problem.ts'
import type { Lake } from '../stages/store/lake.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Handlers } from '../util/rpc.ts'
import type { Events } from './events.ts'
import type { MainCalls, PipelineProgress } from './pipeline-calls.ts'

export interface MainCallsDeps {
  readonly lake: Pick<Lake, 'ensure' | 'store' | 'query'>
  readonly events: Events
  readonly metrics: Metrics
}

/** Answers the pipeline thread's calls to the main thread, and passes on its reports. */
export function mainCalls({ lake, events, metrics }: MainCallsDeps): Handlers<MainCalls> {
  return {
    ensure: ({ table, late }) => lake.ensure(table, late),
    store: ({ table, file, token }) => lake.store(table, file, token),
    query: ({ sql, ...options }) => lake.query(sql, options),
    progress: (progress) => {
      observe(metrics, progress)
      events.committed(progress)
    },
    problems: (problems) => events.problems.report('pipeline', problems),
    missed: (missed) => events.onMissed(missed),
    rules: (progress) => {
      events.rules.set(progress)
      events.problems.report('rules-off', events.rules.problems)
    },
    slower: (message) => events.problems.add('rules', systemProblem('RulesImpaired', message, message)),
    failed: (error) => events.setFailed(new Error(error)),
  }
}

function observe(metrics: Metrics, progress: PipelineProgress): void {
  for (const [stage, seconds] of progress.observations) metrics.observeStage(stage, seconds)
  for (const [rule, n] of progress.matches) metrics.matches(rule, n)
  for (const [rule, n] of progress.ruleErrors) metrics.ruleErrors(rule, n)
  for (const [rule, seconds] of progress.ruleSeconds) metrics.ruleSeconds(rule, seconds)
  for (const ms of progress.latenciesMs) metrics.alertLatency(ms / 1000)
  for (const { severity } of progress.opened) metrics.alerts(severity, 1)
}
