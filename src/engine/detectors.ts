import type { DetectionContent } from '../model/rule.ts'
import type { Content } from '../packs/content.ts'
import { languages } from '../stages/detect/index.ts'
import type { Detector, DetectorOptions } from '../stages/detect/language.ts'
import { exactText } from '../util/exact-text.ts'
import { hash16 } from '../util/hash.ts'
import { judgedRules, type LoadedContent } from './path.ts'
import { ShortPaths } from './short-paths.ts'

/** A detector of one language, and what it was made of. */
export interface RunningDetector {
  readonly language: string
  /** A hash of everything that it was given: of equal ones the one that runs is as good as a new one. */
  readonly key: string
  readonly detector: Detector
}

/**
 * Starts every detection language that has enabled rules, but keeps those of `running` whose content is the same. When one cannot be
 * started, those that were started before it are closed.
 */
export async function startDetectors(
  { content, roots }: Pick<LoadedContent, 'content' | 'roots'>,
  options: Omit<DetectorOptions, 'all'>,
  running: readonly RunningDetector[] = [],
): Promise<RunningDetector[]> {
  const detectors: RunningDetector[] = []
  try {
    for (const { type, create } of languages) {
      const given = givenTo(type, content)
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

/** Closes those that are not among `kept`. */
export async function closeDetectors(
  detectors: readonly RunningDetector[],
  kept: readonly RunningDetector[] = [],
): Promise<void> {
  const goes = detectors.filter(({ detector }) => !kept.some((one) => one.detector === detector))
  await Promise.all(goes.map(({ detector }) => detector.close()))
}

function givenTo(language: string, content: Content): DetectionContent {
  const { helpers, dataModels } = content
  const rules = judgedRules(content).filter((rule) => rule.enabled && rule.source.language === language)
  return { rules, helpers, dataModels }
}
