import { sep } from 'node:path'
import type { Finding, RuleError } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import type { DetectBatch, Detector, DetectorTest, RuleOff, TestRun } from '../language.ts'
import { inheritAll, type PythonDetector } from './detector.ts'
import type { CacheMirror } from './judge/cache-mirror.ts'
import { failedRun } from './judge/tests.ts'

/** Rules by their content folder, in the order of each folder's first rule; rules outside all folders form one group. */
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
 * The rules of several content folders, with a separate child for each folder. The folders judge a batch in parallel, unless rules of
 * two of them use the rule cache: then one after the other, so that later ones see the writes of earlier ones.
 */
export class RootsDetector implements Detector {
  readonly logTypes: ReadonlySet<string>
  readonly parts: readonly PythonDetector[]
  readonly cache: CacheMirror
  readonly #place: ReadonlyMap<string, { readonly at: number; readonly part: PythonDetector }>
  readonly #usesCache: (ruleId: string) => boolean
  #queue: Promise<unknown> = Promise.resolve()

  /**
   * `rules`: those of all parts, in the order of their numbers in findings. `cache`: shared by all parts; `usesCache`: whether a rule may
   * use it.
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

  /** Resolves when the prefilter of each part is ready or has failed. */
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

  async test(ruleId: string, test: DetectorTest): Promise<TestRun> {
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
      // The cache writes of the others are rolled back as well.
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
