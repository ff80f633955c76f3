import type { DetectionContent } from '../../../../model/rule.ts'

/** Names by which code comes to the cache of rules, or to modules that a search of its text does not find. */
const CACHE_NAMES =
  /\b(?:caching|(?:get|put|reset|add_to|remove_from|increment|set)_(?:string_set|counter|dictionary|key_expiration)|importlib|__import__|_caracal)\b/

const NAME = /[A-Za-z_]\w*/g

/**
 * Whether a rule may use the cache of rules, itself, through helpers or through the data model of a log type that it sees: a name in a text that
 * could mean so is enough. A rule that hides it may see the cache without what another content folder's rules have written for the same batch.
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
