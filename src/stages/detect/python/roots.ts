import { sep } from 'node:path'
import type { Finding, RuleError } from '../../../model/match.ts'
import type { Rule, RuleTest } from '../../../model/rule.ts'
import type { DetectBatch, Detector, RuleOff, TestRun } from '../language.ts'
import { inheritAll, type PythonDetector } from './detector.ts'
import type { CacheMirror } from './judge/cache-mirror.ts'
import { failedRun } from './judge/tests.ts'

/** Rules by the content folder that they are below, in the order of the first of each; those below none are together. */
export function byRoot(rules: readonly Rule[], roots: readonly string[]): ReadonlyMap<string, readonly Rule[]> {
  const longestFirst = [...roots].sort((a, b) => b.length - a.length)
  const groups = new Map<string, Rule[]>()
  for (const rule of rules) {
    const root = longestFirst.find((folder) => rule.source.file.startsWith(folder.endsWith(sep) ? folder : folder + sep)) ?? ''
    const group = groups.get(root)
    if (group) group.push(rule)
    else groups.set(root, [rule])
  }
  return groups
}

/**
 * The rules of several content folders, each folder's in a child of its own. The folders judge a batch at the same time, unless rules of
 * two of them use the cache of rules: then one after the other, so that the later ones see what the earlier ones have written.
 */
export class RootsDetector implements Detector {
  readonly logTypes: ReadonlySet<string>
  readonly parts: readonly PythonDetector[]
  readonly cache: CacheMirror
  readonly #place: ReadonlyMap<string, { readonly at: number; readonly part: PythonDetector }>
  readonly #usesCache: (ruleId: string) => boolean
  #queue: Promise<unknown> = Promise.resolve()

  /**
   * `rules`: of all parts, in the order in which findings name them. `cache`: what all parts read and write; `usesCache`: whether a rule
   * may.
   */
  constructor(
    parts: readonly PythonDetector[],
    rules: readonly Rule[],
    cache: CacheMirror,
    usesCache: (ruleId: string) => boolean,
  ) {
    this.#usesCache = usesCache
    this.parts = parts
    this.cache = cache
    this.logTypes = new Set(parts.flatMap((part) => [...part.logTypes]))
    this.#place = new Map(
      rules.flatMap(({ id }, at) => {
        const part = parts.find((candidate) => candidate.has(id))
        return part ? [[id, { at, part }] as const] : []
      }),
    )
  }

  get setupErrors(): readonly RuleError[] {
    return this.parts.flatMap((part) => part.setupErrors)
  }

  off(): readonly RuleOff[] {
    return this.parts.flatMap((part) => part.off())
  }

  ruleIds(logType: string): readonly string[] {
    const ids = this.parts.flatMap((part) => part.ruleIds(logType))
    return ids.sort((a, b) => this.#at(a) - this.#at(b))
  }

  /** Process ids of the living children. */
  get pids(): readonly number[] {
    return this.parts.flatMap((part) => part.pids)
  }

  /** Resolves when the prefilter of each part works, or is known not to. */
  get prefiltered(): Promise<void> {
    return Promise.all(this.parts.map((part) => part.prefiltered)).then(() => {})
  }

  evaluate(batch: DetectBatch): Promise<readonly Finding[]> {
    const result = this.#queue.then(() => this.#evaluate(batch))
    this.#queue = result.catch(() => {})
    return result
  }

  async unreported(): Promise<readonly RuleError[]> {
    return (await Promise.all(this.parts.map((part) => part.unreported()))).flat()
  }

  inherit(before: Detector, unchanged: ReadonlySet<string>): void {
    inheritAll(this, before, unchanged)
  }

  async test(ruleId: string, test: RuleTest): Promise<TestRun> {
    return this.#place.get(ruleId)?.part.test(ruleId, test) ?? failedRun(`there is no rule '${ruleId}'`)
  }

  timings(): readonly { readonly ruleId: string; readonly seconds: number; readonly events: number }[] {
    return this.parts.flatMap((part) => part.timings())
  }

  async close(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.close()))
  }

  async #evaluate(batch: DetectBatch): Promise<readonly Finding[]> {
    const concerned = this.parts.filter((part) => part.logTypes.has(batch.logType))
    let findings: Finding[]
    try {
      findings = (await this.#judge(batch, concerned)).flat()
    } catch (error) {
      // What the others wrote to the cache has not happened either.
      await Promise.all(this.parts.map((part) => part.discard()))
      throw error
    }
    this.cache.settleFor(batch)
    if (concerned.length === 1) return findings
    return findings.sort((a, b) => a.event - b.event || this.#at(a.ruleId) - this.#at(b.ruleId))
  }

  async #judge(batch: DetectBatch, parts: readonly PythonDetector[]): Promise<readonly (readonly Finding[])[]> {
    const caching = parts.filter((part) => part.ruleIds(batch.logType).some(this.#usesCache))
    if (caching.length < 2) {
      const results = await Promise.allSettled(parts.map((part) => part.judge(batch)))
      return results.map((result) => {
        if (result.status === 'rejected') throw result.reason
        return result.value
      })
    }
    const all: (readonly Finding[])[] = []
    for (const part of parts) all.push(await part.judge(batch))
    return all
  }

  #at(ruleId: string): number {
    return this.#place.get(ruleId)?.at ?? 0
  }
}
