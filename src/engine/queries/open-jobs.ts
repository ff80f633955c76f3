import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import type { Engine } from '../engine.ts'
import type { Scheduler } from '../scheduler.ts'
import { contentDashboards } from './dashboards.ts'
import { type JobsDeps, QueryJobs } from './jobs.ts'
import { panelQuery } from './panels.ts'
import { contentSearches, type SearchesDeps } from './searches.ts'

/** Queries that run without their caller waiting, with those of earlier runs of the program. */
export async function openJobs(
  { data_dir, queries, lake: { readers } }: Config,
  deps: Pick<JobsDeps, 'query' | 'lake' | 'log'>,
): Promise<QueryJobs> {
  const { result_hours: resultHours, history_days: historyDays, max_result_bytes: maxResultBytes } = queries
  const limits = { resultHours, historyDays, maxResultBytes, atOnce: readers }
  const jobs = new QueryJobs({ ...deps, folder: join(data_dir, 'queries'), limits, now: Date.now })
  await jobs.start()
  return jobs
}

/** The engine's calls about queries that nobody waits for, and about those of content. */
export function queryCalls(
  jobs: QueryJobs,
  deps: SearchesDeps & { readonly scheduler: Pick<Scheduler, 'runNow'> },
): Pick<Engine, 'jobs' | 'searches' | 'judgeSearch' | 'dashboards' | 'panelQuery'> {
  return {
    jobs: (owner) => jobs.of(owner),
    searches: () => contentSearches(deps),
    judgeSearch: (name, by) => deps.scheduler.runNow(name, by),
    dashboards: () => contentDashboards(deps.report().dashboards, deps.places()),
    panelQuery: async (panel, span) => panelQuery(panel, await contentSearches(deps), span),
  }
}
