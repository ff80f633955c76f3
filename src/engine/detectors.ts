import type { DetectionContent } from '../model/rule.ts'
import type { Content } from '../packs/content.ts'
import { languages } from '../stages/detect/index.ts'
import type { Detector, DetectorOptions, Language } from '../stages/detect/language.ts'
import { exactText } from '../util/exact-text.ts'
import { hash16 } from '../util/hash.ts'
import { judgedRules, type LoadedContent } from './path.ts'
import { ShortPaths } from './short-paths.ts'

/** Which rules: those that can judge batches concurrently and in any order, those that cannot because they remember events, or all. */
export type Share = 'all' | 'any-order' | 'in-order'

/** A detector of one language, and its input. */
export interface RunningDetector {
  readonly language: string
  /** A hash of the whole input: if it is equal, the running detector is as good as a new one. */
  readonly key: string
  readonly detector: Detector
}

/**
 * Starts every detection language that has enabled rules, but reuses those of `running` whose content is the same. If one cannot be
 * started, those started before it are closed.
 */
export async function startDetectors(
  { content, roots }: Pick<LoadedContent, 'content' | 'roots'>,
  options: Omit<DetectorOptions, 'all'>,
  running: readonly RunningDetector[] = [],
  share: Share = 'all',
): Promise<RunningDetector[]> {
  const detectors: RunningDetector[] = []
  try {
    for (const language of languages) {
      const { type, create } = language
      const given = givenTo(language, content, share)
      if (given.rules.length === 0) continue
      const key = hash16(exactText(given))
      const same = running.find((one) => one.language === type && one.key === key)
      if (same) detectors.push(same)
      else {
        const detector = await create(given, { ...options, all: false })
        detectors.push({ language: type, key, detector: new ShortPaths(detector, roots) })
      }
    }
    return detectors
  } catch (error) {
    await closeDetectors(detectors, running)
    throw error
  }
}

/** Closes those that are not in `kept`. */
export async function closeDetectors(
  detectors: readonly RunningDetector[],
  kept: readonly RunningDetector[] = [],
): Promise<void> {
  const goes = detectors.filter(({ detector }) => !kept.some((one) => one.detector === detector))
  await Promise.all(goes.map(({ detector }) => detector.close()))
}

/** Lets detectors continue from the state of others of their language; `unchanged`: ids of rules that judge as before. */
export function inheritDetectors(
  heirs: readonly RunningDetector[],
  before: readonly RunningDetector[],
  unchanged: ReadonlySet<string>,
): void {
  for (const { language, detector } of heirs) {
    const old = before.find((one) => one.language === language)?.detector
    if (old && old !== detector) detector.inherit?.(old, unchanged)
  }
}

/** The position of a rule's findings among those of all detectors about the same event. */
export function ranksOf(content: Content): ReadonlyMap<string, number> {
  const rules = judgedRules(content)
  const ids = languages.flatMap(({ type }) => rules.filter(({ source }) => source.language === type).map(({ id }) => id))
  return new Map(ids.map((id, rank) => [id, rank]))
}

function givenTo({ type, remembers }: Language, content: Content, share: Share): DetectionContent {
  const { helpers, dataModels } = content
  const rules = judgedRules(content).filter((rule) => rule.enabled && rule.source.language === type)
  const all = { rules, helpers, dataModels }
  if (share === 'all') return all
  const isRemembering = remembers?.(all) ?? (() => false)
  return { ...all, rules: rules.filter(({ id }) => isRemembering(id) === (share === 'in-order')) }
}
