import { compileSchema } from '../stages/normalise/compile.ts'
import { messageOf } from '../util/errors.ts'
import { type Content, type Problem, testedRules } from './content.ts'
import type { Creates, Detectors } from './detectors.ts'

/** Loading a rule's code may take this long. */
const TIMEOUT_MS = 15_000

/**
 * What only shows when content is put to use: schemas that do not compile, rules whose code does not load (disabled ones too).
 * Starts the languages that have rules, and ends them.
 */
export async function checkContent(content: Content, languages: readonly Creates[], compiledFolder?: string): Promise<Problem[]> {
  const schemas = content.schemas.flatMap(({ file, document }) => {
    try {
      compileSchema(document, { file })
      return []
    } catch (error) {
      return [{ file, line: undefined, message: messageOf(error) }]
    }
  })
  const all = testedRules(content)
  const rules = await Promise.all(
    languages.map(async (language) => {
      if (!all.some((rule) => rule.source.language === language.type)) return []
      const detector = await language.create({ ...content, rules: all }, { timeoutMs: TIMEOUT_MS, all: true, compiledFolder })
      await detector.close()
      return detector.setupErrors.map(({ ruleId, message }) => {
        const rule = all.find(({ id }) => id === ruleId)
        const item = rule ?? content.dataModels.find(({ id }) => id === ruleId)
        return notLoaded(item?.file ?? ruleId, item && !rule ? 'data model' : 'rule', ruleId, message)
      })
    }),
  )
  return [...schemas, ...rules.flat()]
}

/** Data models whose code did not load, which breaks every rule that asks them. */
export function brokenModels({ dataModels }: Content, detectors: Detectors): Problem[] {
  const errors = [...new Set(detectors.values())].flatMap(({ setupErrors }) => setupErrors)
  return dataModels.flatMap(({ id, file }) => {
    const error = errors.find(({ ruleId }) => ruleId === id && !detectors.has(id))
    return error ? [notLoaded(file, 'data model', id, error.message)] : []
  })
}

function notLoaded(file: string, kind: string, id: string, message: string): Problem {
  return { file, line: undefined, message: `the code of ${kind} '${id}' cannot be loaded: ${message}` }
}
