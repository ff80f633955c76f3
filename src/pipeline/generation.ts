import type { Rule } from '../model/rule.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { Enricher } from '../stages/enrich/table.ts'
import type { Parser, ParseSource } from '../stages/parse/parser.ts'
import type { Correlation } from './correlate.ts'

/** How the records of one source are parsed, and which tables its events are joined with. */
export interface SourceBinding {
  readonly parse: ParseSource
  /** The tables in force for the source. Asked once per batch: a refreshed table counts from the next batch on. */
  readonly enricher: () => Enricher
}

/**
 * Everything that comes of content, and of what the configuration says about content, as one value that never changes. A batch takes
 * the generation in force when it begins, and is parsed, judged, correlated and committed with it, whatever is in force by then.
 * The rows of tables are no part of it: they have versions of their own, which every match records.
 */
export interface Generation {
  /** 16 hex digits, the same for the same content wherever its folders lie; stored with every event as `p_generation`. */
  readonly hash: string
  readonly parser: Parser
  /** Started, one for each detection language that has rules. Whoever takes the generation out of force closes them. */
  readonly detectors: readonly Detector[]
  /** Every enabled rule that can make alerts, correlation rules included, each with its `version`. */
  readonly rules: ReadonlyMap<string, Rule>
  /** `undefined` when no correlation rule is enabled. */
  readonly correlation: Correlation | undefined
  /** By the id of the source. */
  readonly sources: ReadonlyMap<string, SourceBinding>
}

/** What the generation says of a source. Throws when it was made without that source, which is a fault of ours. */
export function bindingOf({ sources }: Generation, sourceId: string): SourceBinding {
  const binding = sources.get(sourceId)
  if (!binding) throw new Error(`the generation knows no source '${sourceId}'`)
  return binding
}
