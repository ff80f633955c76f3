import { z } from 'zod'
import type { NamedText } from '../engine/authoring/named-files.ts'
import type { ContentDashboard } from '../engine/queries/dashboards.ts'
import { PANEL_KINDS, PANEL_SIZES } from '../model/dashboard.ts'

export const dashboardSchema = z.object({
  name: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  panels: z.int().describe('How many it has.'),
  file: z.string().describe('Content folder and path.'),
  read_only: z.string().nullable().describe('Why it cannot be changed here; null: it can.'),
})

export const panelSchema = z.object({
  title: z.string(),
  kind: z
    .enum(PANEL_KINDS)
    .describe(
      '`number`: the first cell; `line`: times and numbers; `bar`: names and numbers; `map`: ISO codes of countries and numbers.',
    ),
  search: z.string().nullable().describe('The name of a saved or scheduled query, or null.'),
  sql: z
    .string()
    .nullable()
    .describe('Its own query, or null; `{since:String}` and `{until:String}` are the time that is shown.'),
  columns: z.array(z.string()).describe('Columns of the result to show, in this order; empty: all.'),
  size: z.enum(PANEL_SIZES).describe('A quarter, half or all of the width of the page.'),
})

export const dashboardDetailSchema = dashboardSchema.extend({
  hours: z.int().describe('The time that it covers unless another one is chosen.'),
  refresh_seconds: z.int().describe('How often its page reads the panels again; 0: only when somebody asks for it.'),
  panels: z.array(panelSchema),
  source: z.object({
    root: z.string().describe('The content folder, as the configuration names it.'),
    path: z.string().describe('Path inside the content folder.'),
    yaml: z.string(),
    revision: z.string().describe('Hash of the file. A change has to name the one that it is based on.'),
  }),
})

export function dashboardView(dashboard: ContentDashboard): z.output<typeof dashboardSchema> {
  const { name, description, tags, panels, file, readOnly } = dashboard
  return { name, description, tags: [...tags], panels: panels.length, file, read_only: readOnly ?? null }
}

export function detailView(dashboard: ContentDashboard, text: NamedText): z.output<typeof dashboardDetailSchema> {
  const { root, path, yaml, revision } = text
  return {
    ...dashboardView(dashboard),
    hours: dashboard.hours,
    refresh_seconds: dashboard.refreshSeconds,
    panels: dashboard.panels.map(({ title, kind, query, columns, size }) => ({
      title,
      kind,
      search: 'search' in query ? query.search : null,
      sql: 'sql' in query ? query.sql : null,
      columns: [...columns],
      size,
    })),
    source: { root, path, yaml, revision },
  }
}
