import { z } from 'zod'
import { type Dashboard, PANEL_KINDS, PANEL_SIZES, type PanelKind, type PanelSize } from '../model/dashboard.ts'
import { checked, type Item } from './item.ts'
import { strings } from './item-schemas.ts'
import type { YamlFile } from './yaml-file.ts'

/** More would take too long to read at once. */
export const MAX_PANELS = 24
export const MAX_PANEL_COLUMNS = 50
const WEEK_HOURS = 7 * 24

const panel = z
  .strictObject({
    Title: z.string().min(1).max(200),
    Kind: z.enum(PANEL_KINDS),
    /** A saved or scheduled query, by its name. */
    Search: z.string().min(1).max(1000).optional(),
    /** A query as people type it; `{since:String}` and `{until:String}` are the time that is shown. */
    SQL: z.string().min(1).max(100_000).optional(),
    Columns: z.array(z.string().min(1).max(200)).max(MAX_PANEL_COLUMNS).optional(),
    Size: z.enum(PANEL_SIZES).optional(),
  })
  .refine((one) => (one.Search === undefined) !== (one.SQL === undefined), { message: 'needs either a Search or SQL' })

/** `AnalysisType: dashboard`, which Panther does not have. */
export const dashboardItem = z.strictObject({
  AnalysisType: z.literal('dashboard'),
  DashboardName: z.string().min(1).max(200),
  Description: z.string().max(2000).optional(),
  Tags: strings.optional(),
  /** Hours that it covers at first. */
  Hours: z
    .int()
    .min(1)
    .max(53 * WEEK_HOURS)
    .optional(),
  /** Seconds after which its page reads the panels again. */
  RefreshSeconds: z.int().min(10).max(86_400).optional(),
  Panels: z.array(panel).min(1).max(MAX_PANELS),
})

const SIZES: Readonly<Record<PanelKind, PanelSize>> = {
  number: 'small',
  line: 'medium',
  bar: 'medium',
  table: 'medium',
  map: 'large',
}

export function readDashboard(file: string, yaml: YamlFile): Item {
  return checked(file, yaml, dashboardItem, (item) => {
    const dashboard: Dashboard = {
      name: item.DashboardName,
      description: item.Description ?? '',
      tags: item.Tags ?? [],
      hours: item.Hours ?? 24,
      refreshSeconds: item.RefreshSeconds ?? 0,
      panels: item.Panels.map((one) => ({
        title: one.Title,
        kind: one.Kind,
        query: one.Search === undefined ? { sql: one.SQL! } : { search: one.Search },
        columns: one.Columns ?? [],
        size: one.Size ?? SIZES[one.Kind],
      })),
      file,
    }
    return { kind: 'dashboard', id: dashboard.name, dashboard }
  })
}
