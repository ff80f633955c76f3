import { readRange, type TimeRange } from '../search/time-range.ts'

/** What is made on the page of dashboards. */
export interface DashboardsParams {
  create?: true
  /** The dashboard that a new one is made from. */
  copy?: string
}

export function readDashboards({ create, copy }: Record<string, unknown>): DashboardsParams {
  return { ...(create === true && { create }), ...(typeof copy === 'string' && { copy: copy.slice(0, 200) }) }
}

/** The time that a dashboard shows. */
export function readDashboard(given: Record<string, unknown>): TimeRange {
  return readRange(given)
}
