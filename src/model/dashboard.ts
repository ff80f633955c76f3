export const PANEL_KINDS = ['number', 'line', 'bar', 'table', 'map'] as const
export type PanelKind = (typeof PANEL_KINDS)[number]

/** How wide a panel is: a quarter, half or all of the page. */
export const PANEL_SIZES = ['small', 'medium', 'large'] as const
export type PanelSize = (typeof PANEL_SIZES)[number]

/** One figure, chart or table; its rows are those of a query of the content, or of its own SQL. */
export interface Panel {
  readonly title: string
  readonly kind: PanelKind
  readonly query: { readonly search: string } | { readonly sql: string }
  /** Which columns of the result are shown, in this order. Empty: all. */
  readonly columns: readonly string[]
  readonly size: PanelSize
}

/** Panels on one page. */
export interface Dashboard {
  readonly name: string
  readonly description: string
  readonly tags: readonly string[]
  /** The time that it covers unless somebody chooses another. */
  readonly hours: number
  /** How often its page reads the panels again; 0: only when somebody asks for it. */
  readonly refreshSeconds: number
  readonly panels: readonly Panel[]
  /** The YAML file. */
  readonly file: string
}

/** Placeholders in the SQL of panels and of saved queries for the time that is shown; RFC 3339 text. */
export const SINCE_PARAM = 'since'
export const UNTIL_PARAM = 'until'

/** A time, epoch ms. */
export interface Span {
  readonly sinceMs: number
  readonly untilMs: number
}

/** The values of the placeholders for a time. */
export function spanParams({ sinceMs, untilMs }: Span): Readonly<Record<string, string>> {
  return { [SINCE_PARAM]: new Date(sinceMs).toISOString(), [UNTIL_PARAM]: new Date(untilMs).toISOString() }
}
