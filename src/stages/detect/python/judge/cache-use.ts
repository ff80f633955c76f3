import type { DetectionContent } from '../../../../model/rule.ts'

/** Names through which code reaches the rule cache, or modules that a search of its text does not find. */
const CACHE_NAMES =
  /\b(?:caching|(?:get|put|reset|add_to|remove_from|increment|set)_(?:string_set|counter|dictionary|key_expiration)|importlib|__import__|_caracal)\b/

const NAME = /[A-Za-z_]\w*/g

/**
 * Whether a rule may use the rule cache itself, through helpers or through the data model of a log type that it sees: a name in the text that
 * could refer to it is enough. A rule that hides its use may not see what another content folder's rules have written for the same batch.
 */
export function cacheUse({ rules, helpers, dataModels = [] }: DetectionContent): (ruleId: string) => boolean {
  const using = new Set<string>()
  const waiting = new Map(helpers.map((helper) => [helper, namesIn(helper.code)]))
  let found: boolean
  do {
    found = false
    for (const [helper, names] of waiting) {
      if (!usesCache(helper.code, names, using)) continue
      using.add(helper.name)
      waiting.delete(helper)
      found = true
    }
  } while (found)
  const uses = (code: string) => usesCache(code, namesIn(code), using)
  const modelled = new Set(dataModels.flatMap(({ source, logTypes }) => (source && uses(source.code) ? logTypes : [])))
  const ids = new Set(
    rules
      .filter(({ source, logTypes }) => uses(source.code) || logTypes.some((logType) => modelled.has(logType)))
      .map(({ id }) => id),
  )
  return (ruleId) => ids.has(ruleId)
}

function usesCache(code: string, names: ReadonlySet<string>, helpers: ReadonlySet<string>): boolean {
  return CACHE_NAMES.test(code) || [...helpers].some((helper) => names.has(helper))
}

function namesIn(code: string): ReadonlySet<string> {
  return new Set(code.match(NAME))
}
