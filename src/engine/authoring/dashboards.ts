import type { Dashboard, Panel, Span } from '../../model/dashboard.ts'
import { Refused } from '../../util/errors.ts'
import { panelDialect } from '../queries/panels.ts'
import type { Author } from './edit.ts'
import { type NamedChange, NamedFiles, type NamedFilesDeps, type NamedSave, type NamedText } from './named-files.ts'
import type { CheckQuery } from './searches.ts'
import { editYaml, setOrDelete } from './yaml-edit.ts'

/** What a dashboard says; its name is given apart. */
export type DashboardDraft = Omit<Dashboard, 'name' | 'file'>

export interface DashboardAuthoringDeps extends Pick<NamedFilesDeps, 'items' | 'places' | 'writer'> {
  /** Names of the queries of the content. */
  readonly searches: () => ReadonlySet<string>
  readonly check: CheckQuery
}

/** Any time: queries are only checked. */
export const SAMPLE: Span = { sinceMs: Date.UTC(2024, 0, 1), untilMs: Date.UTC(2024, 0, 2) }

/** Dashboards as files. Errors are those of `NamedFiles`. */
export class DashboardAuthoring {
  readonly #files: NamedFiles
  readonly #deps: DashboardAuthoringDeps

  constructor(deps: DashboardAuthoringDeps) {
    this.#deps = deps
    this.#files = new NamedFiles({ ...deps, what: 'dashboard', folder: 'dashboards' })
  }

  text(name: string): Promise<NamedText> {
    return this.#files.text(name)
  }

  /** Writes a dashboard in place of the one with its name, or a new one. The queries of its panels are checked first. */
  save({ draft, ...save }: Omit<NamedSave, 'change'> & { readonly draft: DashboardDraft }): Promise<NamedChange> {
    const change = async (before: string) => {
      for (const panel of draft.panels) await this.#check(panel)
      return dashboardYaml(before, save.name, draft)
    }
    return this.#files.save({ ...save, change })
  }

  remove(name: string, revision: string | undefined, author: Author): Promise<NamedChange> {
    return this.#files.remove(name, revision, author)
  }

  async #check({ title, query }: Panel): Promise<void> {
    if ('search' in query) {
      if (!this.#deps.searches().has(query.search))
        throw new Refused(`the panel '${title}' cannot be used: there is no query '${query.search}' in the content`)
      return
    }
    await this.#deps.check(query.sql, panelDialect(query.sql), SAMPLE).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error
      throw new Refused(`the panel '${title}' cannot be used: ${error.message}`, { cause: error })
    })
  }
}

function dashboardYaml(
  before: string,
  name: string,
  { description, tags, hours, refreshSeconds, panels }: DashboardDraft,
): string {
  return editYaml(before, `the file of '${name}'`, (document) => {
    setOrDelete(document, 'AnalysisType', 'dashboard')
    setOrDelete(document, 'DashboardName', name)
    setOrDelete(document, 'Description', description || undefined)
    setOrDelete(document, 'Tags', tags.length > 0 ? tags : undefined)
    setOrDelete(document, 'Hours', hours)
    setOrDelete(document, 'RefreshSeconds', refreshSeconds || undefined)
    setOrDelete(document, 'Panels', panels.map(panelKeys))
  })
}

function panelKeys({ title, kind, query, columns, size }: Panel): Record<string, unknown> {
  const source = 'search' in query ? { Search: query.search } : { SQL: query.sql }
  return { Title: title, Kind: kind, ...source, ...(columns.length > 0 && { Columns: columns }), Size: size }
}
