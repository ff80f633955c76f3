import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { contentFolders } from '../../config/content.ts'
import type { Explanation } from '../../model/explanation.ts'
import { suggestion } from '../../packs/issues.ts'
import { packsOff, withoutPacks } from '../../packs/packs.ts'
import type { CorrelationRule } from '../../stages/detect/correlation/rule.ts'
import { ConfigError } from '../../util/errors.ts'
import { judgedRules, type LoadedContent, loadPath } from '../path.ts'
import { loadTables } from '../run-tables.ts'
import { explainRule, type Subject } from './explain-rule.ts'
import { readSubject, type SubjectInput } from './subject.ts'

export interface ExplainAsk {
  readonly ruleId: string
  readonly input: SubjectInput
  /** What counts as now, epoch ms. `isPast`: tables as they were then. */
  readonly nowMs: number
  readonly isPast: boolean
}

export interface ExplainDeps {
  readonly config: Config
  readonly cacheFolder: string
  /** Called with sentences that are worth knowing. */
  readonly tell: (text: string) => void
}

/**
 * Explains why a rule matches an event, or why it does not, with the content and the tables of this machine. Rejects with `ConfigError` if
 * there is no such rule, event, or usable table.
 */
export async function explain({ ruleId, input, nowMs, isPast }: ExplainAsk, deps: ExplainDeps): Promise<Explanation> {
  const { config, cacheFolder, tell } = deps
  const { data_dir, disabled_packs, enabled_packs } = config
  const sources = [...config.sources, { log_types: input.logType === undefined ? [] : [input.logType] }]
  const folders = { content: contentFolders(config), data_dir, disabled_packs, enabled_packs, sources }
  const loaded = await loadPath(folders, join(cacheFolder, 'content'))
  const correlation = loaded.content.correlationRules.find(({ id }) => id === ruleId)?.rule
  if (!correlation) ruleOf(ruleId, loaded)
  const tables = await loadTables({ tables: {}, config, nowMs, isPast }, loaded, tell)
  const subject = await readSubject(input, { config, loaded, enricher: tables.enricherWith([])(), nowMs, tell })
  const explained = (id: string) => {
    const packOff = packOffOf(id, loaded, config)
    return explainRule(ruleOf(id, loaded), subject, { loaded, compiledFolder: join(cacheFolder, 'python'), packOff })
  }
  return correlation ? explainCorrelation(correlation, subject, loaded, explained) : explained(ruleId)
}

function ruleOf(ruleId: string, { content, problems }: LoadedContent) {
  const rules = judgedRules(content)
  const rule = rules.find(({ id }) => id === ruleId)
  if (rule) return rule
  const known = [...rules.map(({ id }) => id), ...content.correlationRules.map(({ id }) => id)]
  const broken = problems.length > 0 ? ` (${problems.length} files cannot be used: \`caracal validate\` says why)` : ''
  throw new ConfigError(`there is no rule '${ruleId}'${suggestion(ruleId, known) || ': `caracal test` lists all'}${broken}`)
}

/** The pack that switches a rule off that its own file has enabled. */
function packOffOf(ruleId: string, { content }: LoadedContent, config: Config): string | undefined {
  const off = packsOff(content.packs, config)
  const enabled = <T extends object>(rules: readonly T[]) => rules.map((rule) => ({ ...rule, enabled: true }))
  const all = {
    ...content,
    rules: enabled(content.rules),
    scheduledRules: enabled(content.scheduledRules),
    policies: enabled(content.policies),
  }
  const isOff = (some: readonly string[]) =>
    judgedRules(withoutPacks(all, some)).find(({ id }) => id === ruleId)?.enabled === false
  return isOff(off) ? (off.find((id) => isOff([id])) ?? off[0]) : undefined
}

/** A correlation rule judges matches of other rules, so what can be said about one event is which of them it matches. */
async function explainCorrelation(
  rule: CorrelationRule,
  subject: Subject,
  { content }: LoadedContent,
  explained: (ruleId: string) => Promise<Explanation>,
): Promise<Explanation> {
  const ids = [...new Set(rule.members.map(({ ruleId }) => ruleId))]
  const known = new Set(judgedRules(content).map(({ id }) => id))
  const members: Explanation[] = []
  for (const id of ids.filter((one) => known.has(one))) members.push(await explained(id))
  const matched = members.filter(({ verdict }) => verdict === 'match')
  const names = matched.map(({ ruleId }) => ruleId).join(', ')
  return {
    ruleId: rule.id,
    kind: 'correlation_rule',
    file: rule.file,
    definition: rule.file,
    version: rule.version,
    logType: subject.logType,
    rowId: subject.rowId,
    verdict: !rule.enabled ? 'not_judged' : matched.length > 0 ? 'depends' : 'no_match',
    summary:
      matched.length > 0
        ? `the event is a signal of ${names}; whether these make a match depends on other events`
        : 'none of its rules matches the event, so it is no signal for this rule',
    checks: [{ what: 'enabled', passed: rule.enabled, detail: rule.enabled ? 'the rule is on' : 'the rule is off', decided: [] }],
    result: 'no_match',
    trace: { steps: [], decided: [], reads: [] },
    error: undefined,
    alert: undefined,
    members: members.map(({ ruleId, verdict, summary }) => ({ ruleId, verdict, summary })),
    notes: [
      'a correlation rule judges the matches of other rules, joined over time: one event alone cannot say whether it matches',
      ...ids.filter((id) => !known.has(id)).map((id) => `its rule '${id}' does not exist`),
    ],
    event: subject.text,
  }
}
