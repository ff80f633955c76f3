import type { Rule, RuleKind } from '../model/rule.ts'
import type { Content } from '../packs/content.ts'
import { toRule } from '../stages/detect/correlation/finding.ts'
import { versionOf } from './content-parts.ts'
import { judgedRules } from './path.ts'

type Shown =
  | 'id'
  | 'enabled'
  | 'severity'
  | 'logTypes'
  | 'description'
  | 'reference'
  | 'runbook'
  | 'tags'
  | 'reports'
  | 'threshold'
  | 'dedupPeriodMinutes'
  | 'createAlert'
  | 'outputIds'

/** A rule of any kind, for display: as it runs, overrides and packs that are off included. */
export interface RuleView extends Pick<Rule, Shown> {
  readonly displayName: string
  readonly kind: RuleKind | 'correlation_rule'
  /** As alerts name it. */
  readonly version: string
  /** Absolute paths of the YAML file and, if its code is in another file, of that. */
  readonly file: string
  readonly codeFile: string | undefined
  /** The rule whose code a derived rule runs. */
  readonly baseDetection: string | undefined
  readonly scheduledQueries: readonly string[]
  /** Keys set by a content root's `overrides.yml`, and where. */
  readonly overrides: readonly { readonly key: string; readonly file: string; readonly line: number | undefined }[]
}

/** Every rule as shown to users, disabled ones included. */
export function ruleViews(content: Content): RuleView[] {
  const judged = judgedRules(content).map((rule) => viewOf(rule, rule.kind ?? 'rule', content))
  const correlation = content.correlationRules.map(({ rule }) => viewOf(toRule(rule), 'correlation_rule', content))
  return [...judged, ...correlation]
}

function viewOf(rule: Rule, kind: RuleView['kind'], { overrides }: Content): RuleView {
  const { id, displayName = id, enabled, severity, logTypes, description, reference, runbook, tags, reports, outputIds } = rule
  return {
    id,
    displayName,
    kind,
    enabled,
    severity,
    logTypes,
    description,
    reference,
    runbook,
    tags,
    reports,
    outputIds,
    threshold: rule.threshold,
    dedupPeriodMinutes: rule.dedupPeriodMinutes,
    createAlert: rule.createAlert,
    version: kind === 'correlation_rule' ? (rule.version ?? '') : versionOf(rule),
    file: rule.file,
    codeFile: rule.source.file === rule.file ? undefined : rule.source.file,
    baseDetection: rule.baseDetection,
    scheduledQueries: rule.scheduledQueries ?? [],
    overrides: overrides.filter((one) => one.id === id).map(({ key, file, line }) => ({ key, file, line })),
  }
}
