import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ConfigError, Refused } from '../../util/errors.ts'
import type { ContentPlace } from '../content-places.ts'
import type { ContentProblem } from '../path.ts'
import type { RuleView } from '../rule-views.ts'
import { type Author, type ContentWriter, type Edit, type Edited, writablePaths } from './edit.ts'
import { type OverrideValues, withOverrides } from './overrides.ts'
import { ownPlace } from './places.ts'
import { codePath, factsOf, type RuleDraft, type RuleText, readRule, revisionOf, textOf } from './rule-text.ts'
import { isPassed, type Trial, type TrialAsk } from './trial.ts'

/** What became of a change to a rule. `failing`: its tests do not pass, or it cannot be used, and nothing was written. */
export type RuleChange =
  | (Extract<Edited, { kind: 'done' }> & {
      readonly ruleId: string
      /** '' once the rule is deleted. */
      readonly revision: string
      readonly trial: Trial | undefined
      readonly notes: readonly string[]
    })
  | { readonly kind: 'failing'; readonly trial: Trial }
  | { readonly kind: 'broken'; readonly problems: readonly ContentProblem[] }
  /** It has changed since, or exists already. */
  | { readonly kind: 'conflict'; readonly message: string }

export interface SaveRule extends RuleDraft, Author {
  readonly ruleId: string
  /** What the change is based on. */
  readonly revision: string
  readonly allowFailing: boolean
}

/** A new rule. */
export interface CreateRule extends RuleDraft, Pick<Author, 'actor'> {
  /** Of the commit; absent: it names the rule. */
  readonly message: string | undefined
  /** Of the YAML file; absent: derived from the id. */
  readonly path: string | undefined
  readonly allowFailing: boolean
}

export interface TryRule extends RuleDraft {
  /** Events to run on in place of the unit tests, exact JSON text. */
  readonly events: readonly string[] | undefined
}

export interface RuleAuthoringDeps {
  readonly rules: () => readonly RuleView[]
  readonly places: () => readonly ContentPlace[]
  readonly writer: ContentWriter
  readonly trial: (ask: Pick<TrialAsk, 'edits' | 'of' | 'events' | 'roots'>) => Promise<Trial>
}

/** Thrown from a check to end an edit. */
class Conflict extends Error {}

/** Rules as files: reads, tries out, writes and deletes them. Unknown rules are a `ConfigError`, impossible requests `Refused`. */
export class RuleAuthoring {
  readonly #deps: RuleAuthoringDeps

  constructor(deps: RuleAuthoringDeps) {
    this.#deps = deps
  }

  async text(ruleId: string): Promise<RuleText> {
    const { at, ...text } = await readRule(this.#known(ruleId), this.#deps.places())
    return text
  }

  /** Runs the unit tests of a rule as its files are. */
  test(ruleId: string): Promise<Trial> {
    this.#known(ruleId)
    return this.#trial([], { ruleId })
  }

  /** Runs a draft's own tests, or runs it on events. Writes nothing. */
  async try({ events, ...draft }: TryRule): Promise<Trial> {
    const { id } = factsOf(draft)
    const edits = await this.#editsOf(draft, { inPlace: true })
    return this.#trial(edits, { ruleId: id }, events)
  }

  async save({ ruleId, revision, allowFailing, actor, message, ...draft }: SaveRule): Promise<RuleChange> {
    const rule = this.#known(ruleId)
    const { id } = factsOf(draft)
    if (id !== ruleId) throw new Refused(`the YAML is that of '${id}', not of '${ruleId}': create it as a new rule`)
    const edits = await this.#editsOf(draft, {})
    const [{ place, path }] = edits
    const before = await readRule(rule, this.#deps.places())
    // Checked again when it is written.
    if (before.revision !== revision) return { kind: 'conflict', message: changed(ruleId, revision).message }
    const isCopy = before.readOnly !== undefined
    const check = async () => {
      const now = await readRule(rule, this.#deps.places())
      if (now.revision !== revision) throw changed(ruleId, revision)
      if (isCopy) refuseTaken(edits)
    }
    const notes = isCopy ? [`${before.readOnly}: a copy was written to ${place.name}/${path}, which takes its place`] : []
    return this.#write(edits, { ruleId, allowFailing, actor, message, check, notes, draft })
  }

  async create({ path, allowFailing, actor, message: given, ...draft }: CreateRule): Promise<RuleChange> {
    const { id } = factsOf(draft)
    const message = given ?? `Add the rule ${id}`
    const known = this.#deps.rules().find((rule) => rule.id === id)
    if (known) return { kind: 'conflict', message: `there is a rule '${id}' already: change it instead` }
    const edits = await this.#editsOf(draft, { path })
    const check = async () => refuseTaken(edits)
    return this.#write(edits, { ruleId: id, allowFailing, actor, message, check, notes: [], draft })
  }

  /** Deletes a rule's files; the code file only if no other rule uses it. */
  async remove(ruleId: string, revision: string | undefined, author: Author): Promise<RuleChange> {
    const rule = this.#known(ruleId)
    const { at, readOnly, code } = await readRule(rule, this.#deps.places())
    if (readOnly !== undefined) throw new Refused(`the rule '${ruleId}' cannot be deleted: ${readOnly}. It can be disabled`)
    const isShared = this.#deps.rules().some((one) => one.id !== ruleId && one.codeFile === rule.codeFile)
    const edits: Edit[] = [{ ...at, text: undefined }]
    if (code && !isShared) edits.push({ place: at.place, path: code.path, text: undefined })
    const check = async () => {
      const now = await readRule(rule, this.#deps.places())
      if (revision !== undefined && now.revision !== revision) throw changed(ruleId, revision)
    }
    const edited = await this.#edited(edits, author, check)
    if (edited.kind !== 'done') return edited
    const hidden = this.#deps.rules().find((one) => one.id === ruleId)
    const notes = hidden ? [`another content folder has a rule '${ruleId}', which is now in force`] : []
    return { ...edited, ruleId, revision: '', trial: undefined, notes }
  }

  /** Sets keys in `overrides.yml`, or removes them: null is as the rule's own file says. Works for every rule, whoever brings it. */
  async override(ruleId: string, values: OverrideValues, author: Author): Promise<Edited> {
    const { kind } = this.#known(ruleId)
    const place = ownPlace(this.#deps.places())
    const path = existsSync(join(place.folder, 'overrides.yaml')) ? 'overrides.yaml' : 'overrides.yml'
    const file = join(place.folder, path)
    const before = existsSync(file) ? await textOf(file) : ''
    const text = withOverrides(before, kind === 'policy' ? 'PolicyID' : 'RuleID', ruleId, values)
    const check = async () => {
      const now = existsSync(file) ? await textOf(file) : ''
      if (now !== before) throw new Refused(`${place.name}/${path} has changed in the meantime: try again`)
    }
    return this.#deps.writer.write([{ place, path, text }], author, check)
  }

  async #write(edits: readonly Edit[], ask: WriteAsk): Promise<RuleChange> {
    const { ruleId, allowFailing, actor, message, check, notes, draft } = ask
    const files = await writablePaths(edits)
    const tried = await this.#trial(edits, { files })
    const cannotRun = tried.problems.length > 0 || tried.rules.some(({ errors }) => errors.length > 0)
    if (cannotRun || (!allowFailing && !isPassed(tried))) return { kind: 'failing', trial: tried }
    if (!tried.rules.some(({ id }) => id === ruleId))
      throw new Refused(`the files define no rule '${ruleId}' that can be used: see \`caracal validate\``)
    const edited = await this.#edited(edits, { actor, message }, check)
    if (edited.kind !== 'done') return edited
    const failing = isPassed(tried) ? [] : ['not all of its tests pass']
    return { ...edited, ruleId, revision: revisionOf(draft), trial: tried, notes: [...notes, ...failing] }
  }

  async #edited(edits: readonly Edit[], author: Author, check: () => Promise<void>) {
    try {
      return await this.#deps.writer.write(edits, author, check)
    } catch (error) {
      if (error instanceof Conflict) return { kind: 'conflict' as const, message: error.message }
      throw error
    }
  }

  /** The files of a draft: those of the rule that it changes, or new ones. `inPlace`: even if they cannot be written. */
  async #editsOf(draft: RuleDraft, { path, inPlace = false }: Target): Promise<[Edit, ...Edit[]]> {
    const { id, filename } = factsOf(draft)
    const places = this.#deps.places()
    const known = this.#deps.rules().find((rule) => rule.id === id)
    const text = known && (await readRule(known, places))
    if (text?.at.place.kind === 'git' && !inPlace) throw new Refused(`the rule '${id}' cannot be written: ${text.readOnly}`)
    const isOwn = text !== undefined && (inPlace || text.readOnly === undefined)
    const place = isOwn ? text.at.place : ownPlace(places)
    const yamlPath = isOwn ? text.path : (path ?? `rules/${text ? basename(text.path) : `${fileNameOf(id)}.yml`}`)
    const edits: [Edit, ...Edit[]] = [{ place, path: yamlPath, text: draft.yaml }]
    if (draft.code === undefined || filename === undefined) return edits
    const code = codePath(yamlPath, filename)
    if (isOwn && text.code && text.code.path !== code)
      throw new Refused(`Filename: the code of '${id}' is in ${text.code.path}: files are moved in the content folder, not here`)
    edits.push({ place, path: code, text: draft.code })
    return edits
  }

  #trial(edits: readonly Edit[], of: TrialAsk['of'], events?: readonly string[]): Promise<Trial> {
    const texts = edits.map(({ place, path, text }) => [join(place.folder, path), (text as string | undefined) ?? null] as const)
    const roots = new Set([...this.#deps.places(), ...edits.map(({ place }) => place)].map(({ folder }) => folder))
    return this.#deps.trial({ edits: new Map(texts), of, roots: [...roots], ...(events && { events }) })
  }

  #known(ruleId: string): RuleView {
    const rule = this.#deps.rules().find(({ id }) => id === ruleId)
    if (!rule) throw new ConfigError(`there is no rule '${ruleId}'`)
    return rule
  }
}

interface Target {
  readonly path?: string | undefined
  readonly inPlace?: boolean
}

function changed(ruleId: string, revision: string): Conflict {
  return new Conflict(`the rule '${ruleId}' has changed since revision ${revision}: read it again`)
}

/** A new file never takes the place of another. */
function refuseTaken(edits: readonly Edit[]): void {
  const taken = edits.find(({ place, path }) => existsSync(join(place.folder, path)))
  if (taken) throw new Conflict(`the file ${taken.place.name}/${taken.path} exists already: choose another path`)
}

interface WriteAsk extends Author {
  readonly ruleId: string
  readonly allowFailing: boolean
  readonly check: () => Promise<void>
  readonly notes: readonly string[]
  readonly draft: RuleDraft
}

/** `Netstat.UnexpectedPort` → `netstat_unexpected_port`. */
export function fileNameOf(id: string): string {
  const words = id.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  return (
    words
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, 100) || 'rule'
  )
}
