import type { Span } from '../../model/dashboard.ts'
import { isMailed } from '../../model/query.ts'
import { scheduleProblem } from '../../stages/detect/scheduled/schedule.ts'
import { Refused } from '../../util/errors.ts'
import type { Dialect } from '../queries/dialect.ts'
import type { RuleView } from '../rule-views.ts'
import { SAMPLE } from './dashboards.ts'
import type { Author } from './edit.ts'
import { conflict, type NamedChange, NamedFiles, type NamedFilesDeps, type NamedSave, type NamedText } from './named-files.ts'
import { type SearchDraft, searchYaml } from './search-text.ts'

export interface SaveSearch extends Omit<NamedSave, 'change'> {
  readonly draft: SearchDraft
  readonly dialect: Dialect
}

/**
 * Checks a query without reading rows, and returns the dialect that it is in. `span`: the time that its placeholders stand for. Rejects
 * with `Refused` if it cannot run.
 */
export type CheckQuery = (sql: string, dialect: Dialect, span?: Span) => Promise<'clickhouse' | 'snowflake'>

export interface SearchAuthoringDeps extends Pick<NamedFilesDeps, 'items' | 'places' | 'writer'> {
  readonly rules: () => readonly RuleView[]
  readonly check: CheckQuery
  /** Whether there is something that can send mail. */
  readonly canMail: () => boolean
}

/** Saved and scheduled queries as files. Errors are those of `NamedFiles`. */
export class SearchAuthoring {
  readonly #files: NamedFiles
  readonly #deps: SearchAuthoringDeps

  constructor(deps: SearchAuthoringDeps) {
    this.#deps = deps
    this.#files = new NamedFiles({ ...deps, what: 'query', folder: 'queries' })
  }

  text(name: string): Promise<NamedText> {
    return this.#files.text(name)
  }

  /** Writes a query in place of the one with its name, or a new one. Its SQL is checked first. */
  async save({ draft, dialect, ...save }: SaveSearch): Promise<NamedChange> {
    const { name } = save
    const fault = draft.schedule && scheduleProblem(draft.schedule)
    if (fault !== undefined) throw new Refused(`the schedule of '${name}' cannot be used: ${fault}`)
    // A scheduled run has no chosen time: there, the check refuses the placeholders.
    const span = draft.schedule ? undefined : SAMPLE
    const change = async (before: string) => searchYaml(before, name, draft, await this.#deps.check(draft.sql, dialect, span))
    const changed = await this.#files.save({ ...save, change })
    return changed.kind === 'done' ? { ...changed, notes: [...changed.notes, ...this.#notes(name, draft)] } : changed
  }

  /** Deletes the file of a query, unless an enabled rule judges its rows. */
  async remove(name: string, revision: string | undefined, author: Author): Promise<NamedChange> {
    const rule = this.#judges(name)[0]
    if (rule) return conflict(`the rule '${rule.id}' judges the rows of '${name}': disable or change the rule first`)
    return this.#files.remove(name, revision, author)
  }

  #notes(name: string, { schedule, enabled, email }: SearchDraft): string[] {
    const isIdle = schedule && enabled && !isMailed(email) && this.#judges(name).length === 0
    const isUnsent = schedule && enabled && isMailed(email) && !this.#deps.canMail()
    return [
      ...(isIdle ? ['its schedule has no effect until an enabled rule names it in ScheduledQueries, or it has recipients'] : []),
      ...(isUnsent ? ['its rows are not mailed until there is a destination of type email'] : []),
    ]
  }

  #judges(name: string): RuleView[] {
    return this.#deps.rules().filter(({ enabled, scheduledQueries }) => enabled && scheduledQueries.includes(name))
  }
}
