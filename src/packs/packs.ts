import { dirname } from 'node:path'
import type { Rule } from '../model/rule.ts'
import type { Content, CorrelationRuleFile, Pack, TableFile } from './content.ts'
import { nearest } from './issues.ts'
import { isUnder } from './under.ts'

/** The packs section of the configuration. */
export interface PackChoice {
  readonly disabled_packs?: readonly string[]
  /** Only packs that are off by default. */
  readonly enabled_packs?: readonly string[]
}

/** Ids of the packs that are off: disabled ones, and those that have to be enabled and are not. */
export function packsOff(
  packs: readonly Pick<Pack, 'id' | 'isOptional'>[],
  { disabled_packs = [], enabled_packs = [] }: PackChoice,
): string[] {
  const optional = packs.filter(({ id, isOptional }) => isOptional && !enabled_packs.includes(id))
  return [...new Set([...disabled_packs, ...optional.map(({ id }) => id)])]
}

/** A pack as shown to users. */
export interface PackState {
  readonly id: string
  readonly displayName: string | undefined
  /** False: off in the configuration. */
  readonly isOn: boolean
  /** Off until the configuration enables it. */
  readonly isOptional: boolean
  readonly detections: number
  /** Those with `Enabled` in their own file, or in an override. */
  readonly enabled: number
  /** Those of them that run: if the pack is off, those that another pack has too. */
  readonly running: number
  readonly tables: number
  readonly missing: readonly string[]
}

interface Detection {
  readonly id: string
  readonly file: string
}

/** True if a detection does not run because only packs in `off` have it; one in no pack always runs. */
function offBy(packs: readonly Pack[], off: readonly string[]): (detection: Detection) => boolean {
  const members = membersOf(packs)
  const isOff = new Set(off)
  return (detection) => {
    const own = packs.filter((_, at) => members[at]!(detection))
    return own.length > 0 && own.every(({ id }) => isOff.has(id))
  }
}

/** For each pack, whether it has a detection. */
function membersOf(packs: readonly Pack[]): ((detection: Detection) => boolean)[] {
  return packs.map(({ file, ids }) => {
    if (ids === undefined) return (detection) => isUnder(dirname(file), detection.file)
    const named = new Set(ids)
    return ({ id }) => named.has(id)
  })
}

/** The content with the detections of packs that are off disabled, and without the tables in their folders. */
export function withoutPacks(content: Content, off: readonly string[]): Content {
  if (off.length === 0) return content
  const isOff = offBy(content.packs, off)
  const packsOff = content.packs.filter(({ id, ids }) => ids === undefined && off.includes(id))
  const packOf = (table: TableFile) => packsOff.find(({ file }) => isUnder(dirname(file), table.file))?.id
  const without = (rules: readonly Rule[]) => rules.map((rule) => (isOff(rule) ? { ...rule, enabled: false } : rule))
  return {
    ...content,
    rules: without(content.rules),
    scheduledRules: without(content.scheduledRules),
    policies: without(content.policies),
    tables: content.tables.filter((table) => packOf(table) === undefined),
    tablesOff: content.tables.flatMap((table) => {
      const packOff = packOf(table)
      return packOff === undefined ? [] : [{ ...table, packOff }]
    }),
    correlationRules: content.correlationRules.map((item) =>
      isOff(item) ? { ...item, rule: { ...item.rule, enabled: false } } : item,
    ),
  }
}

/** Messages for ids in the configuration that are not packs. */
export function unknownPacks(packs: readonly Pack[], { disabled_packs = [], enabled_packs = [] }: PackChoice): string[] {
  const known = packs.map(({ id }) => id)
  return Object.entries({ disabled_packs, enabled_packs }).flatMap(([key, ids]) =>
    ids.filter((id) => !known.includes(id)).map((id) => `${key}: ${noSuchPack(id, known)}`),
  )
}

/** Says that there is no such pack, and which packs exist. */
export function noSuchPack(id: string, known: readonly string[]): string {
  // Our packs are called `Caracal.Tor`; many will type `Tor`.
  const near = nearest(id, known) ?? nearest(`Caracal.${id}`, known)
  const advice = near === undefined ? 'correct the id or remove it' : `did you mean '${near}'?`
  return `there is no pack '${id}': ${advice}${near === undefined ? `. Known: ${[...known].sort().join(', ') || 'none'}` : ''}`
}

/** Says which pack to enable for a table; `undefined` if no pack that is off has it. */
export function packAdvice(table: string, tablesOff: readonly TableFile[]): string | undefined {
  const pack = tablesOff.find(({ name }) => name === table)?.packOff
  return pack && `the table '${table}' is in the pack ${pack}, which is off: run \`caracal packs enable ${pack}\``
}

/** All packs, by id. */
export function packStates(content: Content, off: readonly string[]): PackState[] {
  const members = membersOf(content.packs)
  const isOff = offBy(content.packs, off)
  const detections = [...content.rules, ...content.scheduledRules, ...content.policies, ...content.correlationRules]
  const states = content.packs.map(({ id, displayName, isOptional, ids, file, missing }, at): PackState => {
    const own = detections.filter(members[at]!)
    const enabled = own.filter(isEnabled)
    const running = enabled.filter((detection) => !isOff(detection)).length
    const isOn = !off.includes(id)
    const tables = ids === undefined ? content.tables.filter((table) => isUnder(dirname(file), table.file)).length : 0
    return { id, displayName, isOn, isOptional, detections: own.length, enabled: enabled.length, running, tables, missing }
  })
  return states.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function isEnabled(detection: Rule | CorrelationRuleFile): boolean {
  return 'rule' in detection ? detection.rule.enabled : detection.enabled
}
