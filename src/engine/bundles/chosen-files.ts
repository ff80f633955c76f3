import type { HelperModule, Rule } from '../../model/rule.ts'
import type { Content } from '../../packs/content.ts'

/** The rule with this id among those that judge events, rows or resources. */
export function findRule({ rules, scheduledRules, policies }: Content, id: string): Rule | undefined {
  return [...rules, ...scheduledRules, ...policies].find((rule) => rule.id === id)
}

/** The files, as absolute paths, that a rule's decisions about these log types depend on. */
export function filesOfRule(rule: Rule, content: Content, logTypes: ReadonlySet<string>): ReadonlySet<string> {
  const bases = basesOf(rule, content)
  const models = (content.dataModels ?? []).filter((model) => model.logTypes.some((one) => logTypes.has(one)))
  const code = [rule, ...bases, ...models].flatMap(({ source }) => source?.code ?? [])
  const queries = content.scheduledQueries.filter(({ name }) => rule.scheduledQueries?.includes(name))
  const items: readonly { readonly file: string; readonly source?: { readonly file: string } | undefined }[] = [
    rule,
    ...bases,
    ...models,
    ...queries,
    ...content.overrides.filter(({ id }) => id === rule.id),
    ...content.schemas.filter(({ name }) => logTypes.has(name)),
  ]
  const helpers = helpersOf(code, content.helpers)
  return new Set([
    ...items.flatMap(({ file, source }) => (source ? [file, source.file] : [file])),
    ...[...helpers].flatMap(({ file, definition }) => (definition === undefined ? [file] : [file, definition])),
  ])
}

/** The rules that a derived rule is made from. */
function basesOf(rule: Rule, content: Content): Rule[] {
  const bases: Rule[] = []
  for (let base = rule.baseDetection; base !== undefined; base = bases.at(-1)?.baseDetection) {
    const found = findRule(content, base)
    if (!found || bases.includes(found)) break
    bases.push(found)
  }
  return bases
}

/** The helpers whose names occur in the code, and those whose names occur in them: at least all that it can import. */
function helpersOf(code: readonly string[], helpers: readonly HelperModule[]): ReadonlySet<HelperModule> {
  const found = new Set<HelperModule>()
  const waiting = [...code]
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    const names = new Set(text.match(/[A-Za-z_]\w*/g))
    for (const helper of helpers) {
      if (found.has(helper) || !names.has(helper.name)) continue
      found.add(helper)
      waiting.push(helper.code)
    }
  }
  return found
}
