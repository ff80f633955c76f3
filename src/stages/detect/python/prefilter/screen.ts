import type { JsonObject } from '../../../../model/json.ts'
import type { Finding } from '../../../../model/match.ts'
import type { Rule } from '../../../../model/rule.ts'
import type { PrefilterOptions } from '../../language.ts'
import { toNdjson } from '../../ndjson.ts'
import type { NecessaryByLogType } from '../../prefilter/conditions.ts'
import { createPrefilter, type Prefilter } from '../../prefilter/prefilter.ts'
import { type Selection, selectEvents, sliceByRule } from '../../prefilter/selection.ts'
import { createShadow, type Shadow } from '../../prefilter/shadow.ts'
import { type Crossing, splitBatch } from '../judge/split.ts'

/** The events of a batch that go to the child, and how to process the answer. */
export interface Screened {
  readonly crossings: Iterable<Crossing>
  /** Findings with event numbers of the batch, and those that the prefilter would have missed. */
  finish(findings: readonly Finding[]): readonly Finding[]
}

/** The prefilters of all log types. */
export class Screen {
  readonly #prefilters: ReadonlyMap<string, Prefilter>
  readonly #shadow: Shadow
  readonly #rules: ReadonlyMap<string, readonly Rule[]>
  /** Rules that see every event because the prefilter was wrong about them. */
  readonly #distrusted = new Set<string>()

  constructor(
    known: NecessaryByLogType,
    byLogType: ReadonlyMap<string, readonly Rule[]>,
    { ruleErrors, shadowEvery }: PrefilterOptions,
  ) {
    this.#shadow = createShadow(shadowEvery)
    this.#rules = byLogType
    this.#prefilters = new Map(
      [...byLogType].map(([logType, rules]) => [
        logType,
        createPrefilter(
          rules.map(({ id }) => known.get(logType)?.get(id)),
          ruleErrors,
          rules.map(({ inlineFilter }) => inlineFilter),
        ),
      ]),
    )
  }

  /** Continues the sampling of another screen: takes over its count and those of its distrusted rules that are in this one. */
  inherit(before: Screen, ruleIds: ReadonlySet<string>): void {
    this.#shadow.inherit(before.#shadow)
    for (const id of before.#distrusted) {
      if (!ruleIds.has(id)) continue
      this.#distrusted.add(id)
      for (const [logType, rules] of this.#rules) {
        for (const [number, rule] of rules.entries()) if (rule.id === id) this.#prefilters.get(logType)?.distrust(number)
      }
    }
  }

  screen(logType: string, events: readonly JsonObject[], rules: readonly Rule[]): Screened {
    const prefilter = this.#prefilters.get(logType)!
    const selection = selectEvents(events, prefilter, this.#shadow, rules.length)
    return {
      crossings: crossingsOf(events, selection),
      finish: (findings) => {
        const missed = this.#shadow.check(findings, selection, rules, prefilter)
        for (const { ruleId } of missed) this.#distrusted.add(ruleId)
        const all = [...findings, ...missed].map((finding) => ({ ...finding, event: selection.events[finding.event]! }))
        return missed.length > 0 ? all.sort((a, b) => a.event - b.event) : all
      },
    }
  }
}

function* crossingsOf(events: readonly JsonObject[], { events: selected, byRule }: Selection): Generator<Crossing> {
  if (selected.length === 0) return
  for (const crossing of splitBatch(toNdjson(selected.map((at) => events[at]!)))) {
    yield { ...crossing, byRule: sliceByRule(byRule, crossing.first, crossing.count) }
  }
}
