import { dirname, extname, resolve } from 'node:path'
import type { z } from 'zod'
import type { PinnedTable, Rule, RuleKind, RuleTest } from '../model/rule.ts'
import { readInlineFilters } from '../stages/detect/simple/filters.ts'
import { ConfigError } from '../util/errors.ts'
import { readAbout, readReports, readSeverity } from './about.ts'
import { checked, checkedButExtraKeys, type Item } from './item.ts'
import { derivedItem, policyItem, ruleItem, scheduledRuleItem } from './item-schemas.ts'
import { CODE_KEYS, codeOf, codeTexts, fileLanguages, yamlLanguageOf, yamlLanguages } from './yaml-code.ts'
import type { YamlFile } from './yaml-file.ts'

/** A rule, scheduled rule or policy without its code file, which is read next. */
export interface RuleDraft extends Omit<Rule, 'source'> {
  readonly kind: RuleKind
  readonly language: string
  /** The code file, or the code itself for a detection written in the YAML. */
  readonly code: { readonly filename: string } | { readonly text: string }
}

/** A rule that runs another one's code: what it overrides, besides its name. */
export interface DerivedDraft {
  readonly id: string
  readonly file: string
  readonly base: string
  readonly says: Partial<Omit<Rule, 'id' | 'file' | 'source' | 'kind'>>
  /** Key of a detection in YAML → its JSON text. */
  readonly code: ReadonlyMap<string, string>
}

/** Reads a file whose `AnalysisType` is one of these kinds. */
export function readDetection(kind: RuleKind, file: string, yaml: YamlFile, ignoresExtraKeys: boolean): Item {
  const read = ignoresExtraKeys ? checkedButExtraKeys : checked
  if (kind === 'policy') return read(file, yaml, policyItem, (item) => readPolicy(file, yaml, item))
  if (kind === 'scheduled_rule') {
    return read(file, yaml, scheduledRuleItem, (item) =>
      readRule(file, yaml, item, { kind, logTypes: [], scheduledQueries: item.ScheduledQueries }),
    )
  }
  if (Object.hasOwn(yaml.value as object, 'BaseDetection')) {
    return read(file, yaml, derivedItem, (item) => readDerived(file, yaml, item))
  }
  return read(file, yaml, ruleItem, (item) => readRule(file, yaml, item, { kind, logTypes: item.LogTypes }))
}

type RuleKeys = Omit<z.output<typeof ruleItem>, 'AnalysisType' | 'LogTypes'>

function readRule(
  file: string,
  yaml: YamlFile,
  item: RuleKeys,
  own: Pick<RuleDraft, 'kind' | 'logTypes' | 'scheduledQueries'>,
): Item {
  const inlineFilter = readFilter(file, item.InlineFilters)
  const rule: RuleDraft = {
    ...own,
    ...readAbout(yaml, item),
    id: item.RuleID,
    enabled: item.Enabled,
    severity: readSeverity(item.Severity),
    dedupPeriodMinutes: dedupPeriod(item.DedupPeriodMinutes ?? 60),
    threshold: item.Threshold ?? 1,
    summaryAttributes: item.SummaryAttributes ?? [],
    createAlert: item.CreateAlert ?? true,
    tests: (item.Tests ?? []).map((test, at) => readTest(file, yaml, test, at, 'Log')),
    file,
    ...(item.CreatedBy !== undefined && { createdBy: item.CreatedBy }),
    ...(item.RiskScore !== undefined && { riskScore: item.RiskScore }),
    ...(inlineFilter && { inlineFilter }),
    ...readCode(file, yaml, item),
  }
  return { kind: 'rule', id: rule.id, rule, notices: ruleNotices(rule, yaml, item) }
}

function readPolicy(file: string, yaml: YamlFile, item: z.output<typeof policyItem>): Item {
  const rule: RuleDraft = {
    ...readAbout(yaml, item),
    kind: 'policy',
    id: item.PolicyID,
    enabled: item.Enabled,
    logTypes: [],
    severity: readSeverity(item.Severity),
    dedupPeriodMinutes: 60,
    threshold: 1,
    summaryAttributes: [],
    createAlert: true,
    tests: (item.Tests ?? []).map((test, at) => readTest(file, yaml, test, at, 'Resource')),
    file,
    ...(item.CreatedBy !== undefined && { createdBy: item.CreatedBy }),
    ...(item.RiskScore !== undefined && { riskScore: item.RiskScore }),
    policy: {
      resourceTypes: item.ResourceTypes ?? [],
      suppressions: item.Suppressions ?? [],
      autoRemediationId: item.AutoRemediationID,
      actionDelaySeconds: item.ActionDelaySeconds,
    },
    ...readFilename(item.Filename),
  }
  return { kind: 'rule', id: rule.id, rule, notices: testNotices(rule.tests) }
}

function readDerived(file: string, yaml: YamlFile, item: z.output<typeof derivedItem>): Item {
  const about = readAbout(yaml, item)
  const says = {
    enabled: item.Enabled,
    displayName: item.DisplayName,
    description: item.Description,
    reference: item.Reference,
    runbook: item.Runbook,
    tags: item.Tags,
    reports: item.Reports && readReports(yaml, item.Reports),
    outputIds: item.OutputIds,
    status: about.status,
    createdBy: item.CreatedBy,
    severity: item.Severity && readSeverity(item.Severity),
    dedupPeriodMinutes: item.DedupPeriodMinutes === undefined ? undefined : dedupPeriod(item.DedupPeriodMinutes),
    threshold: item.Threshold,
    summaryAttributes: item.SummaryAttributes,
    createAlert: item.CreateAlert,
    riskScore: item.RiskScore,
    // An empty list counts as absent: the base's tests run.
    tests: item.Tests?.length ? item.Tests.map((test, at) => readTest(file, yaml, test, at, 'Log')) : undefined,
    inlineFilter: readFilter(file, item.InlineFilters),
  }
  const rule: DerivedDraft = {
    id: item.RuleID,
    file,
    base: item.BaseDetection,
    says: Object.fromEntries(Object.entries(says).filter(([, value]) => value !== undefined)),
    code: codeTexts(yaml, CODE_KEYS),
  }
  return { kind: 'derived', id: rule.id, rule, notices: dedupNotice(item.DedupPeriodMinutes) }
}

function readCode(file: string, yaml: YamlFile, item: RuleKeys): Pick<RuleDraft, 'language' | 'code'> {
  const written = yamlLanguages.find(({ keys: [first] }) => Object.hasOwn(yaml.value as object, first))
  if (item.Filename !== undefined) {
    if (!written) return readFilename(item.Filename)
    const [first] = written.keys
    throw new ConfigError(`a rule has either a Filename or a ${first}: remove one`, { path: first })
  }
  if (!written) {
    const known = yamlLanguages.map(({ keys: [first] }) => `a ${first}`).join(', ')
    throw new ConfigError(`is missing: add it, or ${known}`, { path: 'Filename' })
  }
  const text = codeOf(codeTexts(yaml, written.keys))
  written.check(text, { file })
  return { language: written.type, code: { text } }
}

function readFilename(filename: string): Pick<RuleDraft, 'language' | 'code'> {
  const language = fileLanguages.find(({ extension }) => extension === extname(filename))
  if (language) return { language: language.type, code: { filename } }
  const known = fileLanguages.map(({ extension }) => extension).join(', ')
  throw new ConfigError(`no language runs '${filename}'. Known: ${known}`, { path: 'Filename' })
}

/** `undefined` if every event passes, as with `InlineFilters: [{ All: [] }]`. Throws `ConfigError`. */
export function readFilter(file: string, filters: unknown): Rule['inlineFilter'] {
  const condition = readInlineFilters(filters, { file })
  const isOpen = condition.op === 'and' && condition.of.every((one) => one.op === 'always' && one.value)
  return isOpen ? undefined : condition
}

interface TestKeys {
  readonly Name: string
  readonly ExpectedResult: boolean
  readonly Mocks?:
    | readonly { readonly objectName?: string | undefined; readonly returnValue?: string | boolean | undefined }[]
    | undefined
  readonly Tables?: Readonly<Record<string, unknown>> | undefined
}

function readTest(file: string, yaml: YamlFile, test: TestKeys, at: number, eventKey: 'Log' | 'Resource'): RuleTest {
  const tables = Object.entries(test.Tables ?? {}).map(
    ([name, given]): PinnedTable =>
      typeof given === 'string'
        ? { name, file: resolve(dirname(file), given) }
        : { name, rows: yaml.json(['Tests', at, 'Tables', name]) },
  )
  return {
    name: test.Name,
    expectedResult: test.ExpectedResult,
    log: yaml.json(['Tests', at, eventKey]),
    mocks: (test.Mocks ?? []).flatMap(({ objectName, returnValue }) =>
      objectName === undefined || returnValue === undefined ? [] : [{ objectName, returnValue }],
    ),
    ...(test.Tables && { tables }),
  }
}

/** The service ignores 0 and treats less than five minutes as five. */
export function dedupPeriod(minutes: number): number {
  return minutes === 0 ? 60 : Math.max(5, minutes)
}

/** A message about a period that is not used as written. */
export function dedupNotice(minutes = 60): string[] {
  return minutes >= 5 ? [] : [`DedupPeriodMinutes ${minutes} is treated as ${dedupPeriod(minutes)}: use at least 5`]
}

function ruleNotices(rule: RuleDraft, yaml: YamlFile, item: RuleKeys): string[] {
  const own: readonly string[] = yamlLanguageOf(rule.language)?.keys ?? []
  const idle = CODE_KEYS.filter((key) => !own.includes(key) && Object.hasOwn(yaml.value as object, key))
  return [
    ...dedupNotice(item.DedupPeriodMinutes),
    ...testNotices(rule.tests),
    ...idle.map((key) => `${key} has no effect: the functions in the rule's code determine it`),
  ]
}

/** Both run, but if two share a name, it does not show which one failed. */
function testNotices(tests: readonly RuleTest[]): string[] {
  const names = tests.map(({ name }) => name)
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))].map(
    (name) => `two tests are named '${name}': rename one`,
  )
}
