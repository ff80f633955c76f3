import { availableParallelism } from 'node:os'
import type { DetectionContent, Rule } from '../model/rule.ts'
import { languages } from '../stages/detect/index.ts'
import type { Detector, Language, Prepared } from '../stages/detect/language.ts'

/** Time limit of a rule function in a unit test: the hosted service's limit, so that slow rules show as slow, not as broken. */
const TEST_TIMEOUT_MS = 15_000

/** Starting a child process and loading rules into it takes as long as some thousand unit tests: a second one is not worth it for fewer. */
const TESTS_PER_DETECTOR = 5000
const MAX_DETECTORS = 4

/** Rule id → the detector that has it loaded. */
export type Detectors = ReadonlyMap<string, Detector>

/** A language whose detectors can be created. */
export type Creates = Pick<Language, 'type' | 'create'>

/** Runs `work` with languages that start while it determines what they have to do, and ends those it did not use. */
export async function withLanguages<T>(work: (languages: readonly Creates[]) => Promise<T>): Promise<T> {
  const registered: readonly Language[] = languages
  const prepared = await Promise.all(
    registered.map(async (language): Promise<Creates & Partial<Prepared>> => {
      const own = { type: language.type, create: language.create.bind(language) }
      // If it cannot be started now, `create` reports that to the caller that needs it.
      return { ...own, ...(await language.prepare?.().catch(() => undefined)) }
    }),
  )
  try {
    return await work(prepared)
  } finally {
    await Promise.all(prepared.map((language) => language.close?.()))
  }
}

/**
 * Starts the languages that have rules, including disabled rules; several times if there is much to do and there are cores for it.
 * `traces`: tests may ask how a rule came to its result.
 */
export async function createDetectors(
  content: DetectionContent,
  registered: readonly Creates[] = languages,
  compiledFolder?: string,
  traces = false,
): Promise<Detectors> {
  const parts = registered.flatMap((language) => {
    const rules = content.rules.filter((rule) => rule.source.language === language.type)
    return split(rules).map((part) => ({ language, rules: part }))
  })
  const options = { timeoutMs: TEST_TIMEOUT_MS, all: true, compiledFolder, traces }
  const started = await Promise.allSettled(parts.map(({ language, rules }) => language.create({ ...content, rules }, options)))
  const detectors = new Map<string, Detector>()
  for (const [at, result] of started.entries()) {
    if (result.status === 'fulfilled') for (const rule of parts[at]!.rules) detectors.set(rule.id, result.value)
  }
  const failed = started.find((result) => result.status === 'rejected')
  if (!failed) return detectors
  await endDetectors(detectors)
  throw failed.reason
}

export async function endDetectors(detectors: Detectors): Promise<void> {
  await Promise.all([...new Set(detectors.values())].map((detector) => detector.close()))
}

/** Splits rules into parts with about the same number of tests. Neighbours stay together, since they use the same helpers. */
function split(rules: readonly Rule[]): Rule[][] {
  const total = rules.reduce((sum, { tests }) => sum + tests.length, 0)
  const count = Math.max(1, Math.min(MAX_DETECTORS, availableParallelism(), Math.floor(total / TESTS_PER_DETECTOR)))
  const parts = Array.from({ length: count }, (): Rule[] => [])
  let before = 0
  for (const rule of rules) {
    parts[Math.min(count - 1, Math.floor((before * count) / Math.max(1, total)))]!.push(rule)
    before += rule.tests.length
  }
  return parts.filter((part) => part.length > 0)
}
