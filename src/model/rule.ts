import type { Condition } from './condition/condition.ts'
import type { DataModel } from './data-model.ts'

/** Severity of a rule or an alert, as Panther spells it on alerts. */
export const SEVERITIES = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What a rule judges: a rule judges events, a scheduled rule the rows of a query's result, a policy resources. */
export type RuleKind = 'rule' | 'scheduled_rule' | 'policy'

/** A rule's metadata (its YAML), language-independent. */
export interface Rule {
  readonly id: string
  /** Default: `rule`. A policy has a function `policy` instead of `rule` and alerts when it returns false. */
  readonly kind?: RuleKind
  readonly displayName: string | undefined
  readonly enabled: boolean
  readonly logTypes: readonly string[]
  readonly severity: Severity
  readonly description: string
  readonly reference: string
  readonly runbook: string
  readonly tags: readonly string[]
  readonly reports: Readonly<Record<string, readonly string[]>>
  readonly dedupPeriodMinutes: number
  readonly threshold: number
  readonly summaryAttributes: readonly string[]
  readonly outputIds: readonly string[]
  /** False: matches are stored without raising an alert. */
  readonly createAlert: boolean
  readonly tests: readonly RuleTest[]
  /** The YAML file. */
  readonly file: string
  readonly source: RuleSource
  /** Free text to filter by: `Experimental`, `Deprecated`. */
  readonly status?: string | undefined
  readonly createdBy?: string | undefined
  /** What an event must satisfy before the rule sees it (`InlineFilters`). Absent: every event passes. */
  readonly inlineFilter?: Condition | undefined
  /** What a match adds to the risk of the entities that it names, 0 to 100. Absent: by severity. */
  readonly riskScore?: number | undefined
  /** Names of the queries whose rows a scheduled rule judges. */
  readonly scheduledQueries?: readonly string[]
  /** Only for a policy. */
  readonly policy?: PolicyFacts | undefined
  /** For a derived rule, the rule whose code it runs with its own metadata. */
  readonly baseDetection?: string | undefined
  /**
   * Hash of its metadata and code, 16 hex digits. Rules in a generation have one; a correlation rule that was just read hashes
   * what it matches.
   */
  readonly version?: string
}

/** Fields that only policies have. */
export interface PolicyFacts {
  /** Empty: resources of every type. */
  readonly resourceTypes: readonly string[]
  /** Patterns of resource ids (`*` matches anything) that the policy ignores. */
  readonly suppressions: readonly string[]
  readonly autoRemediationId: string | undefined
  readonly actionDelaySeconds: number | undefined
}

/** The rule's code and its language. */
export interface RuleSource {
  /** A detection language's `type`. */
  readonly language: string
  /** The code file, for messages and for importing modules next to it. */
  readonly file: string
  readonly code: string
}

export interface RuleTest {
  readonly name: string
  readonly expectedResult: boolean
  /** The event (for a policy: the resource) as exact JSON text, which preserves big integers and integral floats. */
  readonly log: string
  readonly mocks: readonly { readonly objectName: string; readonly returnValue: string | boolean }[]
  /** The content of tables for this test alone: its event is joined with them, and `lookup` reads them. Absent: neither. */
  readonly tables?: readonly PinnedTable[]
}

/** A table's content in a unit test: rows as the exact JSON text of a list, or the absolute path of a file. */
export type PinnedTable = { readonly name: string } & ({ readonly rows: string } | { readonly file: string })

/** A Python module that rules can import by name. */
export interface HelperModule {
  readonly name: string
  readonly file: string
  readonly code: string
  /** The YAML file that makes it a `global`. Absent: it is a module next to a rule, or shipped. */
  readonly definition?: string
  /**
   * `undefined`: importable by every rule (a `global` of a content root, or shipped). Otherwise the folder whose rules may import
   * it (a module next to a rule).
   */
  readonly folder: string | undefined
  /** The content root it belongs to; '' for shipped helpers. Helpers of a rule's own root take precedence over shipped ones. */
  readonly root: string
}

/** All content needed for detection. */
export interface DetectionContent {
  readonly rules: readonly Rule[]
  readonly helpers: readonly HelperModule[]
  /** Default: none. Only enabled ones, and at most one per log type. */
  readonly dataModels?: readonly DataModel[]
}
