import { createCorrelator } from '../stages/detect/correlation/correlator.ts'
import type { Found, World } from './checks/check.ts'
import { checkNames } from './checks/index.ts'
import { checkTables } from './checks/tables.ts'
import { compileFiles } from './compile.ts'
import { type Content, type Problem, testedRules } from './content.ts'
import type { Creates, Detectors } from './detectors.ts'
import { hostedNotices } from './hosted-tables.ts'

/** Time limit for loading a rule's code. */
const TIMEOUT_MS = 15_000

export interface CheckOptions {
  readonly languages: readonly Creates[]
  /** Everything that names may refer to, including the content being checked. */
  readonly world: World
  /** `data_dir`, where a table's content may be. */
  readonly dataFolder: string
  /** Where compiled code is stored. */
  readonly compiledFolder?: string | undefined
}

/**
 * Finds faults that only show when content is used as in `caracal up`: schemas that do not compile, tables that cannot be built, rules
 * whose code does not load (including disabled ones), unknown names. Starts the languages that have rules, and ends them.
 */
export async function checkContent(
  content: Content,
  { languages, world, dataFolder, compiledFolder }: CheckOptions,
): Promise<Found> {
  const { known } = world
  const { schemas, tables, problems } = compileFiles(content, known.content)
  const names = checkNames(content, {
    ...world,
    known: { ...known, schemas: new Map([...known.schemas, ...schemas]), tables: new Map([...known.tables, ...tables]) },
  })
  const built = await checkTables(tables.values(), dataFolder)
  const code = await Promise.all(languages.map((language) => checkCode(content, language, compiledFolder)))
  return {
    problems: [...problems, ...built.problems, ...code.flat(), ...correlationProblems(content), ...names.problems],
    notices: [...built.notices, ...names.notices, ...hostedNotices(content, known.content)],
  }
}

async function checkCode(content: Content, language: Creates, compiledFolder: string | undefined): Promise<Problem[]> {
  const all = testedRules(content)
  if (!all.some((rule) => rule.source.language === language.type)) return []
  const detector = await language.create({ ...content, rules: all }, { timeoutMs: TIMEOUT_MS, all: true, compiledFolder })
  await detector.close()
  return detector.setupErrors.map(({ ruleId, message }) => {
    const rule = all.find(({ id }) => id === ruleId)
    const item = rule ?? content.dataModels.find(({ id }) => id === ruleId)
    return notLoaded(item?.file ?? ruleId, item && !rule ? 'data model' : 'rule', ruleId, message)
  })
}

/** Correlation rules that wait for each other. */
function correlationProblems({ correlationRules }: Content): Problem[] {
  const { problems } = createCorrelator(correlationRules.map(({ rule }) => rule))
  return problems.map(({ file, message }) => ({ file: file ?? 'correlation', line: undefined, message }))
}

/** Data models whose code did not load, which breaks every rule that uses them. */
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
