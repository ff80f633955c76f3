import type { Dashboard } from '../model/dashboard.ts'
import type { DataModel } from '../model/data-model.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
import type { DetectionContent, Rule } from '../model/rule.ts'
import type { CorrelationRule } from '../stages/detect/correlation/rule.ts'

/** A schema file as found: compiled by `stages/normalise`. */
export interface SchemaFile {
  readonly name: string
  readonly file: string
  readonly root: string
  readonly document: unknown
}

/** A table definition file as found (`AnalysisType: lookup_table`). */
export interface TableFile {
  readonly name: string
  readonly file: string
  readonly root: string
  readonly document: unknown
  /** The pack that it is in, if that is off. */
  readonly packOff?: string
}

/** A correlation rule (`AnalysisType: correlation_rule`), read by `stages/detect/correlation`. */
export interface CorrelationRuleFile {
  readonly id: string
  readonly file: string
  readonly rule: CorrelationRule
  /** Free text that filters match. */
  readonly status: string | undefined
  readonly createdBy: string | undefined
}

/** `AnalysisType: pack`: content that is switched on and off together. */
export interface Pack {
  readonly id: string
  readonly displayName: string | undefined
  readonly description?: string | undefined
  readonly file: string
  /** `undefined`: everything in the pack's folder. */
  readonly ids: readonly string[] | undefined
  /** Off until the configuration enables it. */
  readonly isOptional: boolean
  /** Those of `ids` that are not usable items of the pack's content root. */
  readonly missing: readonly string[]
}

/** Keys of a rule, policy or correlation rule that `overrides.yml` can set. */
export type OverrideKey = 'Enabled' | 'Severity' | 'Threshold' | 'DedupPeriodMinutes' | 'OutputIds' | 'InlineFilters'

/** One key of one rule, policy or correlation rule, set in a content root's `overrides.yml`. */
export interface Override {
  readonly id: string
  readonly idKey: 'RuleID' | 'PolicyID'
  readonly key: OverrideKey
  /** The new value. */
  readonly says: Partial<Pick<Rule, 'enabled' | 'severity' | 'threshold' | 'dedupPeriodMinutes' | 'outputIds' | 'inlineFilter'>>
  readonly file: string
  readonly line: number | undefined
  /** The line of the rule's or policy's id. */
  readonly idLine: number | undefined
}

/** A file, or a place in it, that could not be used. */
export interface Problem {
  /** Absolute path. */
  readonly file: string
  /** Counted from 1; `undefined` if it is about the whole file. */
  readonly line: number | undefined
  /** What is wrong and what to do about it. */
  readonly message: string
  /** The file is a schema: its log type cannot be parsed, but detections can still be tested. */
  readonly isSchema?: true
}

/** Everything found under the content roots, later roots before earlier ones, shipped packs last. All paths are absolute. */
export interface Content extends DetectionContent {
  /** Rules that judge events: `AnalysisType: rule`, including derived ones. */
  readonly rules: readonly Rule[]
  /** `AnalysisType: scheduled_rule`. They name no log types. */
  readonly scheduledRules: readonly Rule[]
  /** `AnalysisType: policy`. */
  readonly policies: readonly Rule[]
  readonly correlationRules: readonly CorrelationRuleFile[]
  /** For detection: enabled data models, with each log type in only one of them. */
  readonly dataModels: readonly DataModel[]
  readonly scheduledQueries: readonly ScheduledQuery[]
  readonly savedQueries: readonly SavedQuery[]
  readonly dashboards: readonly Dashboard[]
  readonly schemas: readonly SchemaFile[]
  readonly tables: readonly TableFile[]
  /** Tables of packs that are off. */
  readonly tablesOff: readonly TableFile[]
  readonly packs: readonly Pack[]
  /** As found: applied by `withOverrides`. */
  readonly overrides: readonly Override[]
  /**
   * What is valid but worth knowing, shown by `validate`: ids of a later root that hide the same id of an earlier one, items that only run
   * in their unit tests.
   */
  readonly notices: readonly string[]
  /** What could not be used. `up` starts without it and reports it; `validate` and `test` fail. */
  readonly problems: readonly Problem[]
}

/** Everything with unit tests that a detection language runs. */
export function testedRules({ rules, scheduledRules, policies }: Content): Rule[] {
  return [...rules, ...scheduledRules, ...policies]
}
