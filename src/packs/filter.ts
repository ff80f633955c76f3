import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Rule, RuleKind } from '../model/rule.ts'
import { correlationRuleDocument } from '../stages/detect/correlation/document.ts'
import { tableDefinitionSchema, tableExtensionSchema } from '../stages/enrich/definition.ts'
import { ConfigError } from '../util/errors.ts'
import type { CorrelationRuleFile } from './content.ts'
import { dataModelItem, derivedItem, globalItem, packItem, policyItem, ruleItem, scheduledRuleItem } from './item-schemas.ts'
import { jsonValue } from './json-text.ts'
import { savedQueryItem, scheduledQueryItem } from './query-schemas.ts'
import { withoutTests } from './text.ts'
import { readYaml } from './yaml-file.ts'

/** What can be filtered. */
export type Filtered = Rule | CorrelationRuleFile

/** The attributes of a detection of any kind. */
type Facts = Partial<Omit<Rule, 'kind' | 'tests'>> & { readonly kind?: RuleKind | 'correlation_rule' }

/** What filters can match, by YAML key. Correlation rules do not have all of it. */
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
  SummaryAttributes: ({ summaryAttributes }) => summaryAttributes,
  OutputIds: ({ outputIds }) => outputIds,
  // Only false is never a default.
  CreateAlert: ({ createAlert, baseDetection, file }) =>
    createAlert === false && baseDetection === undefined ? false : file && written(file, 'CreateAlert'),
  Suppressions: ({ policy }) => policy?.suppressions,
  AutoRemediationID: ({ policy }) => policy?.autoRemediationId,
  ActionDelaySeconds: ({ policy }) => policy?.actionDelaySeconds,
}

/** Every key that a detection may have. */
const DETECTION_KEYS: ReadonlySet<string> = new Set(
  [ruleItem, scheduledRuleItem, derivedItem, policyItem, correlationRuleDocument].flatMap(({ shape }) => Object.keys(shape)),
)

/** Every key that some item without unit tests may have. */
const OTHER_KEYS: ReadonlySet<string> = new Set(
  [globalItem, dataModelItem, packItem, savedQueryItem, scheduledQueryItem, tableDefinitionSchema, tableExtensionSchema].flatMap(
    ({ shape }) => Object.keys(shape),
  ),
)

/** The attributes that a correlation rule shares with rules. */
function factsOf(item: Filtered): Facts {
  if ('source' in item) return item
  const { tests: _, ...rule } = item.rule
  return { ...rule, status: item.status, createdBy: item.createdBy, kind: 'correlation_rule' }
}

interface Filter {
  readonly key: string
  readonly isNot: boolean
  readonly values: readonly string[]
}

/** Throws `ConfigError`. */
function readFilter(text: string): Filter {
  const [, key = '', not = '', values = ''] = /^([^=!]+)(!?)=([^=]*)$/.exec(text.trim()) ?? []
  if (!key) throw new ConfigError(`the filter '${text}' is not of the form KEY=VALUE[,VALUE…] or KEY!=VALUE[,VALUE…]`)
  if (!DETECTION_KEYS.has(key) && !OTHER_KEYS.has(key) && !Object.hasOwn(KEYS, key)) {
    const known = [...new Set([...Object.keys(KEYS), ...DETECTION_KEYS, ...OTHER_KEYS])]
    throw new ConfigError(`the filter '${text}' has an unknown key. Known: ${known.join(', ')}`)
  }
  return { key, isNot: not === '!', values: values.split(',') }
}

/** True if a filter uses a key that only items without unit tests have: nothing is left to test. */
export function asksForUntested(texts: readonly string[]): boolean {
  return texts.map(readFilter).some(({ key }) => OTHER_KEYS.has(key) && !DETECTION_KEYS.has(key))
}

/**
 * The file's YAML value for a key that rules do not store, or store with a default; the file has been read before. Empty if it has been
 * removed since.
 */
function written(file: string, key: string): unknown {
  const text = existsSync(file) ? withoutTests(readFileSync(file, 'utf8')) : ''
  if (!text.includes(key)) return undefined
  const document = jsonValue(readYaml(text)) as Readonly<Record<string, unknown>>
  return Object.hasOwn(document, key) ? document[key] : undefined
}

const YES = new Set(['y', 'yes', 't', 'true', 'on', '1'])
const NO = new Set(['n', 'no', 'f', 'false', 'off', '0'])

/**
 * Reads filters such as `Severity=High,Critical`, `LogTypes=Zeek.Conn`, `Enabled=true`, `Status!=deprecated`. All keys must match; one of
 * the values after a key must match; of two filters with the same key the last one counts. Case does not matter; a list matches if one of
 * its members does; an absent key counts as empty text. Throws `ConfigError`.
 */
export function parseFilters(texts: readonly string[]): (rule: Filtered) => boolean {
  const tests = new Map<string, (item: Filtered, facts: Facts) => boolean>()
  for (const { key, isNot, values } of texts.map(readFilter)) {
    const wanted = new Set(values.map((value) => normalise(key, value)))
    const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined
    const read = (item: Filtered, facts: Facts) =>
      known ? known(facts) : DETECTION_KEYS.has(key) ? written(item.file, key) : undefined
    tests.set(key, (item, facts) => holds(read(item, facts), wanted) !== isNot)
  }
  return (item) => {
    const facts = factsOf(item)
    return [...tests.values()].every((test) => test(item, facts))
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
