import { dirname } from 'node:path'
import type { Rule } from '../model/rule.ts'
import type { Content, CorrelationRuleFile, Pack } from './content.ts'
import { nearest } from './issues.ts'
import { isUnder } from './under.ts'

/** A pack as people see it. */
export interface PackState {
  readonly id: string
  readonly displayName: string | undefined
  /** False: the configuration has it off. */
  readonly isOn: boolean
  readonly detections: number
  /** Those whose own file, or an override, says `Enabled`. */
  readonly enabled: number
  /** Those of them that run: of a pack that is off, what another pack has too. */
  readonly running: number
  readonly missing: readonly string[]
}

interface Detection {
  readonly id: string
  readonly file: string
}

/** True when a detection that only packs named in `off` have does not run; one that no pack has always runs. */
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

/** The content with the detections of packs that are off disabled. */
export function withoutPacks(content: Content, off: readonly string[]): Content {
  if (off.length === 0) return content
  const isOff = offBy(content.packs, off)
  const without = (rules: readonly Rule[]) => rules.map((rule) => (isOff(rule) ? { ...rule, enabled: false } : rule))
  return {
    ...content,
    rules: without(content.rules),
    scheduledRules: without(content.scheduledRules),
    policies: without(content.policies),
    correlationRules: content.correlationRules.map((item) =>
      isOff(item) ? { ...item, rule: { ...item.rule, enabled: false } } : item,
    ),
  }
}

/** What to say of each id that is to be off and names no pack. */
export function unknownPacks(packs: readonly Pack[], off: readonly string[]): string[] {
  const known = packs.map(({ id }) => id)
  return off.filter((id) => !known.includes(id)).map((id) => `disabled_packs: ${noSuchPack(id, known)}`)
}

/** Says that there is no such pack, and what there is. */
export function noSuchPack(id: string, known: readonly string[]): string {
  const near = nearest(id, known)
  const advice = near === undefined ? 'correct the id or remove it' : `did you mean '${near}'?`
  return `there is no pack '${id}': ${advice}${near === undefined ? `. Known: ${[...known].sort().join(', ') || 'none'}` : ''}`
}

/** All packs, by id. */
export function packStates(content: Content, off: readonly string[]): PackState[] {
  const members = membersOf(content.packs)
  const isOff = offBy(content.packs, off)
  const detections = [...content.rules, ...content.scheduledRules, ...content.policies, ...content.correlationRules]
  const states = content.packs.map(({ id, displayName, missing }, at): PackState => {
    const own = detections.filter(members[at]!)
    const enabled = own.filter(isEnabled)
    const running = enabled.filter((detection) => !isOff(detection)).length
    const isOn = !off.includes(id)
    return { id, displayName, isOn, detections: own.length, enabled: enabled.length, running, missing }
  })
  return states.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function isEnabled(detection: Rule | CorrelationRuleFile): boolean {
  return 'rule' in detection ? detection.rule.enabled : detection.enabled
}
