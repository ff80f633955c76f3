import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Config } from '../../config/config.ts'
import { contentFolders } from '../../config/content.ts'
import type { BacktestReplay, RuleComparison } from '../../model/replay.ts'
import type { Rule } from '../../model/rule.ts'
import { isUnder } from '../../packs/under.ts'
import { NO_DIFFERENCE, type Sides } from '../../pipeline/rejudge/comparison.ts'
import { Refused } from '../../util/errors.ts'
import { exactText } from '../../util/exact-text.ts'
import { hash16 } from '../../util/hash.ts'
import { versionOf } from '../content-parts.ts'
import type { OpenContent } from '../open-content.ts'
import { judgedRules, type LoadedContent, loadPath, schemaOf } from '../path.ts'
import { backtestFolder } from './backtest-files.ts'

/** The contents that a backtest compares. */
export interface BacktestContent {
  readonly contents: Sides<LoadedContent>
  /** The rules that differ, by id: as each side has them enabled. */
  readonly changed: ReadonlyMap<string, { readonly before: Rule | undefined; readonly after: Rule | undefined }>
  /** The log types of these rules that have a schema in force. */
  readonly logTypes: readonly string[]
  /** What a sentence is about → what a person should know. */
  readonly notes: ReadonlyMap<string, string>
}

const MAX_SHOWN = 5

/**
 * Loads both contents: the files are one more content root above those in force. Only rules of these files can differ; all others would
 * find the same twice. Rejects with `Refused` if a file cannot be used.
 */
export async function loadBacktest(
  { after, before }: Pick<BacktestReplay, 'after' | 'before'>,
  { loaded: inForce }: Pick<OpenContent, 'loaded'>,
  config: Config,
): Promise<BacktestContent> {
  const sent = backtestFolder(config.data_dir, after)
  const compared = before === undefined ? undefined : backtestFolder(config.data_dir, before)
  const contents = {
    before: compared === undefined ? inForce : await loadWith(compared, config),
    after: await loadWith(sent, config),
  }
  const changed = new Map<string, { before: Rule | undefined; after: Rule | undefined }>()
  const own = { before: compared === undefined ? [] : rulesIn(compared, contents.before), after: rulesIn(sent, contents.after) }
  const ids = { before: new Set(own.before.map(({ id }) => id)), after: new Set(own.after.map(({ id }) => id)) }
  for (const id of new Set([...ids.after, ...ids.before])) {
    // The roots below may have the rule too, as they are on the disk now: what one side's files lack does not exist there.
    const was = compared === undefined || ids.before.has(id) ? enabledRule(id, contents.before) : undefined
    const is = ids.after.has(id) ? enabledRule(id, contents.after) : undefined
    if (!was && !is) continue
    if (was && is && signature(was, contents.before) === signature(is, contents.after)) continue
    changed.set(id, { before: was, after: is })
  }
  const named = [...changed.values()]
    .flatMap((sides) => [sides.before, sides.after])
    .flatMap((rule) => (rule ? logTypesOf(rule) : []))
  const logTypes = [...new Set(named)].sort()
  const known = logTypes.filter((name) => schemaOf(name, inForce))
  return {
    contents,
    changed,
    logTypes: known,
    notes: notesOf({ sent, contents, changed, unknown: logTypes.filter((name) => !known.includes(name)) }),
  }
}

/** The comparison before anything was judged. */
export function emptyComparison({ changed }: Pick<BacktestContent, 'changed'>): RuleComparison[] {
  return [...changed].map(([ruleId, { before, after }]) => ({
    ruleId,
    change: !before ? ('added' as const) : after ? ('changed' as const) : ('removed' as const),
    matches: NO_DIFFERENCE,
    alerts: NO_DIFFERENCE,
    errors: { before: 0, after: 0 },
    addedAlerts: [],
    removedAlerts: [],
  }))
}

async function loadWith(folder: string, config: Config): Promise<LoadedContent> {
  if (!existsSync(folder)) throw new Refused('the files of the backtest have been removed: start it again')
  const loaded = await loadPath(
    { ...config, content: [...contentFolders(config), folder] },
    join(config.data_dir, 'content-cache'),
  )
  const own = loaded.problems.filter(({ file }) => isUnder(folder, file))
  if (own.length === 0) return loaded
  const shown = own
    .slice(0, MAX_SHOWN)
    .map(({ file, message }) => `${relative(folder, file)}: ${message.replaceAll(`${folder}/`, '')}`)
  const more = own.length > MAX_SHOWN ? `; and ${own.length - MAX_SHOWN} more` : ''
  throw new Refused(`the content cannot be used: ${shown.join('; ')}${more}`)
}

function rulesIn(folder: string, { content }: LoadedContent): Rule[] {
  return judgedRules(content).filter(({ file, kind }) => isUnder(folder, file) && kind !== 'scheduled_rule')
}

function enabledRule(id: string, { content }: LoadedContent): Rule | undefined {
  return judgedRules(content).find((rule) => rule.id === id && rule.enabled && rule.kind !== 'scheduled_rule')
}

function logTypesOf({ logTypes, policy }: Rule): string[] {
  return [...logTypes, ...(policy?.resourceTypes ?? [])]
}

/** A hash of everything that a rule judges with: itself, the helpers that it may import, and the data models of its log types. */
function signature(rule: Rule, { content, roots }: LoadedContent): string {
  const root = [...roots].reverse().find((folder) => isUnder(folder, rule.file))
  const available = content.helpers.filter((helper) => helper.root === root || helper.root === '')
  const used = new Map<string, string>()
  const codes = [rule.source.code]
  for (let code = codes.pop(); code !== undefined; code = codes.pop()) {
    for (const { name, code: own, root: of } of available) {
      const key = `${of === '' ? '' : 'own'} ${name}`
      if (used.has(key) || !code.includes(name.split('.').at(-1)!)) continue
      used.set(key, own)
      codes.push(own)
    }
  }
  const models = content.dataModels.filter((model) => model.logTypes.some((name) => rule.logTypes.includes(name)))
  const shown = models.map(({ id, mappings, source }) => exactText([id, mappings, source?.code ?? '']))
  return hash16(versionOf(rule), ...[...used].sort().flat(), ...shown.sort())
}

interface NotesAsk {
  readonly sent: string
  readonly contents: Sides<LoadedContent>
  readonly changed: BacktestContent['changed']
  readonly unknown: readonly string[]
}

function notesOf({ sent, contents, changed, unknown }: NotesAsk): Map<string, string> {
  const { content } = contents.after
  const notes = new Map<string, string>()
  const inFiles = ({ file }: { readonly file: string }) => isUnder(sent, file)
  const list = (names: readonly string[]) => `${names.slice(0, MAX_SHOWN).join(', ')}${names.length > MAX_SHOWN ? ', …' : ''}`
  if (changed.size === 0) notes.set('same', 'No rule of these files differs from what it is compared with.')
  const off = rulesIn(sent, contents.after).filter(({ id, enabled }) => !enabled && !changed.has(id))
  if (off.length > 0) notes.set('off', `Rules that are not enabled do not take part: ${list(off.map(({ id }) => id))}.`)
  const others = [...content.scheduledRules, ...content.correlationRules].filter(inFiles).map(({ id }) => id)
  if (others.length > 0)
    notes.set('others', `A backtest judges events, so scheduled and correlation rules do not take part: ${list(others)}.`)
  const tables = content.tables.filter(inFiles).map(({ name }) => name)
  if (tables.length > 0)
    notes.set('tables', `Events are joined with the tables in force, not with those of the files: ${list(tables)}.`)
  const schemas = content.schemas.filter(inFiles).map(({ name }) => name)
  if (schemas.length > 0)
    notes.set('schemas', `Events are read as they are stored, not with the schemas of the files: ${list(schemas)}.`)
  if (unknown.length > 0) notes.set('log types', `There are no stored events of ${list(unknown)}: no schema is in force for it.`)
  return notes
}
