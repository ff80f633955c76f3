import type { Condition } from './condition/condition.ts'
import type { DataModel } from './data-model.ts'

/** Severity of a rule or an alert, as Panther spells it on alerts. */
export const SEVERITIES = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What judges what: a rule each event, a scheduled rule each row of a query's answer, a policy a resource. */
export type RuleKind = 'rule' | 'scheduled_rule' | 'policy'

/** A rule's metadata (its YAML), language-independent. */
export interface Rule {
  readonly id: string
  /** Absent: `rule`. A policy has a function `policy` for `rule`, and alerts when it answers false. */
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
  /** False: the match is stored and no alert is made. */
  readonly createAlert: boolean
  readonly tests: readonly RuleTest[]
  /** The YAML file. */
  readonly file: string
  readonly source: RuleSource
  /** Free text that filters ask for: `Experimental`, `Deprecated`. */
  readonly status?: string | undefined
  readonly createdBy?: string | undefined
  /** What an event must satisfy before the rule sees it (`InlineFilters`). Absent: every event passes. */
  readonly inlineFilter?: Condition | undefined
  /** Names of the queries whose rows a scheduled rule judges. */
  readonly scheduledQueries?: readonly string[]
  /** Only of a policy. */
  readonly policy?: PolicyFacts | undefined
  /** A derived rule: the rule whose code this one runs with metadata of its own. */
  readonly baseDetection?: string | undefined
  /** Hash of its metadata and code, 16 hex digits. Rules of a generation have it; a correlation rule as read hashes what it matches. */
  readonly version?: string
}

/** What only policies have. */
export interface PolicyFacts {
  /** Empty: resources of every type. */
  readonly resourceTypes: readonly string[]
  /** Patterns of resource ids (`*` stands for anything) that the policy passes over. */
  readonly suppressions: readonly string[]
  readonly autoRemediationId: string | undefined
  readonly actionDelaySeconds: number | undefined
}

/** The rule's code, and which language runs it. */
export interface RuleSource {
  /** A detection language's `type`. */
  readonly language: string
  /** The code file, for messages and imports of neighbours. */
  readonly file: string
  readonly code: string
}

export interface RuleTest {
  readonly name: string
  readonly expectedResult: boolean
  /** The event (of a policy: the resource) as exact JSON text (big integers and integral floats kept). */
  readonly log: string
  readonly mocks: readonly { readonly objectName: string; readonly returnValue: string | boolean }[]
}

/** A Python module that rules may import by name. */
export interface HelperModule {
  readonly name: string
  readonly file: string
  readonly code: string
  /**
   * `undefined`: importable by every rule (a `global` of a content root, or shipped). Otherwise the folder whose
   * rules may import it (a module lying beside a rule).
   */
  readonly folder: string | undefined
  /** The content root it belongs to; '' for shipped ones. A rule sees its own root's helpers before shipped ones. */
  readonly root: string
}

/** All content that detection needs. */
export interface DetectionContent {
  readonly rules: readonly Rule[]
  readonly helpers: readonly HelperModule[]
  /** Absent: none. Enabled ones only, and no log type is named by two of them. */
  readonly dataModels?: readonly DataModel[]
}
