import { sha256 } from '../../../../util/hash.ts'
import type { Kept } from '../../../../util/kept.ts'
import type { NecessaryContent, Traits } from '../sandbox/protocol.ts'

/** Rules, helpers and data models for the analyser, without the information about the other rules. */
export type ReadContent = Omit<NecessaryContent, 'elsewhere'>

type RuleSpec = ReadContent['rules'][number]

/**
 * The known conditions of rules, and what must be read to complete them. A rule's condition depends on its source, on the
 * helpers that it can import, on its log type's data model, and on the traits of all sources together; nothing else goes into a key.
 */
export class KnownConditions {
  readonly #content: ReadContent
  readonly #kept: Kept
  readonly #rules: ReadonlyMap<string, RuleSpec>
  /** Place → hash of the helpers visible from there. */
  readonly #places = new Map<string, string>()
  readonly #models: ReadonlyMap<string, string>
  readonly #sources: readonly string[]
  readonly #shared: string

  constructor(content: ReadContent, kept: Kept) {
    const { sources, rules, helpers, dataModels } = content
    this.#content = content
    this.#kept = kept
    this.#sources = sources.map(([, text]) => hashOf(text))
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]))
    this.#models = new Map(
      dataModels.flatMap(({ logTypes, ...model }) => {
        const hash = hashOf(model, this.#textOf(model), this.#placeOf(model.root, model.folder))
        return logTypes.map((logType) => [logType, hash] as const)
      }),
    )
    const others = helpers.map(({ root, folder, source }) => [root, folder, this.#sources[source]])
    this.#shared = `traits:${hashOf(
      others,
      dataModels.map((model) => this.#textOf(model)),
    )}`
  }

  /** What to read next; `undefined` if everything is known. */
  missing(): NecessaryContent | undefined {
    const { rules, logTypes } = this.#content
    const strange = rules.filter((rule) => this.#traitsOf(rule) === undefined)
    if (strange.length > 0 || this.#kept.get(this.#shared) === undefined) {
      const ids = new Set(strange.map(({ id }) => id))
      return this.#request((_, id) => ids.has(id))
    }
    // With the traits of all sources the keys of all conditions are known.
    const traits = this.#traits()
    const isMissing = (logType: string, id: string) => this.#kept.get(this.#key(logType, id, traits)) === undefined
    const isComplete = Object.entries(logTypes).every(([logType, ids]) => !ids.some((id) => isMissing(logType, id)))
    return isComplete ? undefined : this.#request(isMissing)
  }

  /** Adds the answer of `_caracal/necessary.py`. */
  add(answer: string): void {
    const [head = '', ...rows] = answer.split('\n')
    const found = JSON.parse(head) as { readonly shared: Traits; readonly rules: Readonly<Record<string, Traits>> }
    this.#kept.set(this.#shared, JSON.stringify(found.shared))
    for (const [id, traits] of Object.entries(found.rules)) {
      this.#kept.set(this.#traitsKey(this.#rules.get(id)!), JSON.stringify(traits))
    }
    const traits = this.#traits()
    for (const row of rows) {
      const [logType, id] = JSON.parse(row) as [string, string]
      this.#kept.set(this.#key(logType, id, traits), row)
    }
  }

  /** All conditions that are known, as `readConditions` takes them: the reader's own text. */
  text(): string {
    const traits = this.#traits()
    const rows = Object.entries(this.#content.logTypes).flatMap(([logType, ids]) =>
      ids.flatMap((id) => this.#kept.get(this.#key(logType, id, traits)) ?? []),
    )
    return `[${rows.join(',')}]`
  }

  #request(isWanted: (logType: string, id: string) => boolean): NecessaryContent {
    const { sources, rules, helpers, dataModels, logTypes } = this.#content
    const wanted = Object.entries(logTypes).map(([logType, ids]) => [logType, ids.filter((id) => isWanted(logType, id))] as const)
    const asked = new Set(wanted.flatMap(([, ids]) => ids))
    const chosen = rules.filter(({ id }) => asked.has(id))
    const used = new Set([...chosen, ...helpers, ...dataModels].map(({ source }) => source))
    return {
      sources: sources.map(([file, text], at) => [file, used.has(at) ? text : '']),
      rules: chosen,
      helpers,
      dataModels,
      logTypes: Object.fromEntries(wanted.filter(([, ids]) => ids.length > 0)),
      elsewhere: union(rules.filter(({ id }) => !asked.has(id)).flatMap((rule) => this.#traitsOf(rule) ?? [])),
    }
  }

  /** Of all sources together. */
  #traits(): string {
    const shared = this.#kept.get(this.#shared)
    const known = this.#content.rules.flatMap((rule) => this.#traitsOf(rule) ?? [])
    return JSON.stringify(union(shared === undefined ? known : [JSON.parse(shared) as Traits, ...known]))
  }

  #traitsOf(rule: RuleSpec): Traits | undefined {
    const text = this.#kept.get(this.#traitsKey(rule))
    return text === undefined ? undefined : (JSON.parse(text) as Traits)
  }

  #traitsKey({ source }: RuleSpec): string {
    return `traits:${this.#sources[source]!}`
  }

  #key(logType: string, id: string, traits: string): string {
    const rule = this.#rules.get(id)!
    const { kind, file, source, root, folder } = rule
    const model = this.#models.get(logType) ?? null
    return `rule:${hashOf(traits, logType, id, kind, file, this.#sources[source], this.#placeOf(root, folder), model)}`
  }

  #textOf({ source }: { readonly source: number | null }): string | null {
    return source === null ? null : this.#sources[source]!
  }

  /** See `_caracal/loader.py`: the modules beside the code, the globals of its root, what ships with the engine. */
  #placeOf(root: string, folder: string): string {
    const name = JSON.stringify([root, folder])
    let hash = this.#places.get(name)
    if (hash === undefined) {
      const seen = this.#content.helpers.filter(
        (helper) =>
          (helper.root === root && (helper.folder === null || helper.folder === folder)) ||
          (helper.root === '' && helper.folder === null),
      )
      hash = hashOf(seen.map((helper) => [helper.name, helper.root, helper.folder, this.#sources[helper.source]]))
      this.#places.set(name, hash)
    }
    return hash
  }
}

function union(list: readonly Traits[]): Traits {
  const attributes = [...new Set(list.flatMap((traits) => traits.attributes))].sort()
  return { attributes, mocks: list.some(({ mocks }) => mocks) }
}

function hashOf(...parts: readonly unknown[]): string {
  return sha256(Buffer.from(JSON.stringify(parts)))
}
