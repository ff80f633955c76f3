import { basename } from 'node:path'
import type { Rule, RuleKind } from '../model/rule.ts'
import { ConfigError } from '../util/errors.ts'
import type { CorrelationRuleFile } from './content.ts'

/** What can be filtered. */
export type Filtered = Rule | CorrelationRuleFile

/** What there is to know of a detection of any kind. */
type Facts = Partial<Omit<Rule, 'kind' | 'tests'>> & { readonly kind?: RuleKind | 'correlation_rule' }

/** What a filter may ask, by the key of the YAML. Correlation rules do not have all of it. */
const KEYS: Readonly<Record<string, (facts: Facts) => unknown>> = {
  AnalysisType: ({ kind }) => kind ?? 'rule',
  RuleID: ({ id, kind }) => (kind === 'policy' ? undefined : id),
  PolicyID: ({ id, kind }) => (kind === 'policy' ? id : undefined),
  BaseDetection: ({ baseDetection }) => baseDetection,
  DisplayName: ({ displayName }) => displayName,
  Enabled: ({ enabled }) => enabled,
  Filename: ({ source }) => source && basename(source.file),
  LogTypes: ({ logTypes }) => logTypes,
  ScheduledQueries: ({ scheduledQueries }) => scheduledQueries,
  ResourceTypes: ({ policy }) => policy?.resourceTypes,
  Severity: ({ severity }) => severity,
  Status: ({ status }) => status,
  Description: ({ description }) => description,
  Reference: ({ reference }) => reference,
  Runbook: ({ runbook }) => runbook,
  Tags: ({ tags }) => tags,
  CreatedBy: ({ createdBy }) => createdBy,
  DedupPeriodMinutes: ({ dedupPeriodMinutes }) => dedupPeriodMinutes,
  Threshold: ({ threshold }) => threshold,
  SummaryAttributes: ({ summaryAttributes }) => summaryAttributes,
  OutputIds: ({ outputIds }) => outputIds,
  CreateAlert: ({ createAlert }) => createAlert,
  Suppressions: ({ policy }) => policy?.suppressions,
  AutoRemediationID: ({ policy }) => policy?.autoRemediationId,
  ActionDelaySeconds: ({ policy }) => policy?.actionDelaySeconds,
}

/** A correlation rule as far as it has what rules have. */
function factsOf(item: Filtered): Facts {
  if ('source' in item) return item
  const { tests: _, ...rule } = item.rule
  return { ...rule, status: item.status, createdBy: item.createdBy, kind: 'correlation_rule' }
}

const YES = new Set(['y', 'yes', 't', 'true', 'on', '1'])
const NO = new Set(['n', 'no', 'f', 'false', 'off', '0'])

/**
 * Reads filters such as `Severity=High,Critical`, `LogTypes=Zeek.Conn`, `Enabled=true`, `Status!=deprecated`: different keys must
 * all hold, of the values after one key any, of two filters with one key the last; upper and lower case are alike; a list
 * holds when one member does; an absent key counts as empty text. Throws `ConfigError`.
 */
export function parseFilters(texts: readonly string[]): (rule: Filtered) => boolean {
  const tests = new Map<string, (facts: Facts) => boolean>()
  for (const text of texts) {
    const [, key = '', not = '', values = ''] = /^([^=!]+)(!?)=([^=]*)$/.exec(text.trim()) ?? []
    if (!key) throw new ConfigError(`the filter '${text}' is not of the form KEY=VALUE[,VALUE…] or KEY!=VALUE[,VALUE…]`)
    if (!Object.hasOwn(KEYS, key))
      throw new ConfigError(`the filter '${text}' has an unknown key. Known: ${Object.keys(KEYS).join(', ')}`)
    const wanted = new Set(values.split(',').map((value) => normalise(key, value)))
    const read = KEYS[key]!
    tests.set(key, (facts) => holds(read(facts), wanted) !== (not === '!'))
  }
  return (item) => {
    const facts = factsOf(item)
    return [...tests.values()].every((test) => test(facts))
  }
}

function normalise(key: string, value: string): string {
  const text = value.trim().toLowerCase()
  if (key !== 'Enabled' && key !== 'CreateAlert') return text
  return YES.has(text) ? 'true' : NO.has(text) ? 'false' : text
}

function holds(value: unknown, wanted: ReadonlySet<string>): boolean {
  if (Array.isArray(value)) return value.length === 0 ? wanted.has('') : value.some((member) => holds(member, wanted))
  return wanted.has(value === undefined ? '' : String(value).toLowerCase())
}
