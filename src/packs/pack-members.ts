import { dirname } from 'node:path'
import type { Content, Pack } from './content.ts'
import { isUnder } from './under.ts'

/** A detection as a pack has it. */
export interface PackDetection {
  readonly id: string
  /** By its own file, or an override. */
  readonly enabled: boolean
}

/** What a pack holds, whether it is on or off. Plain values. */
export interface PackMembers extends Pick<Pack, 'id' | 'displayName' | 'description' | 'isOptional' | 'missing'> {
  readonly detections: readonly PackDetection[]
  /** Log types. */
  readonly schemas: readonly string[]
  readonly tables: readonly string[]
}

/** A pack with what its being on or off leads to. */
export interface PackView extends PackMembers {
  readonly isOn: boolean
  /** Enabled detections that run now. */
  readonly running: number
  /** Enabled detections that start or stop if the pack is switched: no other pack that is on has them. */
  readonly changes: readonly string[]
}

/** The members of all packs, by id, of content as it is without switching packs off. */
export function packMembers(content: Content): PackMembers[] {
  const { rules, scheduledRules, policies, correlationRules } = content
  const detections = [
    ...[...rules, ...scheduledRules, ...policies].map(({ id, file, enabled }) => ({ id, file, enabled })),
    ...correlationRules.map(({ id, file, rule }) => ({ id, file, enabled: rule.enabled })),
  ]
  const members = content.packs.map(({ id, displayName, description, isOptional, missing, ids, file }): PackMembers => {
    const named = ids && new Set(ids)
    const has = (one: { readonly id: string; readonly file: string }) => named?.has(one.id) ?? isUnder(dirname(file), one.file)
    const inFolder = (items: readonly { readonly name: string; readonly file: string }[]) =>
      named ? [] : items.filter((item) => isUnder(dirname(file), item.file)).map(({ name }) => name)
    const own = detections.filter(has).map(({ id: detection, enabled }) => ({ id: detection, enabled }))
    const [schemas, tables] = [inFolder(content.schemas), inFolder(content.tables)]
    return { id, displayName, description, isOptional, missing, detections: own, schemas, tables }
  })
  return members.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The packs with their state; `off`: ids of those that are off. */
export function packViews(packs: readonly PackMembers[], off: readonly string[]): PackView[] {
  const isOff = new Set(off)
  const owners = new Map<string, string[]>()
  for (const { id, detections } of packs)
    for (const detection of detections) owners.set(detection.id, [...(owners.get(detection.id) ?? []), id])
  return packs.map((pack) => {
    const enabled = pack.detections.filter((one) => one.enabled).map(({ id }) => id)
    const isOn = !isOff.has(pack.id)
    const running = enabled.filter((id) => owners.get(id)!.some((owner) => !isOff.has(owner))).length
    const changes = enabled.filter((id) => owners.get(id)!.every((owner) => owner === pack.id || isOff.has(owner)))
    return { ...pack, isOn, running, changes }
  })
}
