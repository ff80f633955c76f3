import type { Dashboard } from '../../model/dashboard.ts'
import { locate, readOnlyReason } from '../authoring/places.ts'
import type { ContentPlace } from '../content-places.ts'

/** A dashboard of the content, for display. */
export interface ContentDashboard extends Dashboard {
  /** `root/path`, as people know the content folders. */
  readonly file: string
  /** Why it cannot be changed; absent: it can. */
  readonly readOnly?: string
}

/** The dashboards of the content in force, by name. */
export function contentDashboards(dashboards: readonly Dashboard[], places: readonly ContentPlace[]): ContentDashboard[] {
  const all = dashboards.map((dashboard): ContentDashboard => {
    const at = locate(dashboard.file, places)
    const readOnly = at && readOnlyReason(at.place)
    return { ...dashboard, ...(at && { file: `${at.place.name}/${at.path}` }), ...(readOnly !== undefined && { readOnly }) }
  })
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}
