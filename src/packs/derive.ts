import type { Rule } from '../model/rule.ts'
import { ConfigError } from '../util/errors.ts'
import type { Problem } from './content.ts'
import { JsonText } from './json-text.ts'
import type { DerivedDraft } from './rule-items.ts'
import { codeOf, yamlLanguageOf } from './yaml-code.ts'

/** Rules created from derived drafts, and notices and problems about the others. */
export interface Derived {
  readonly rules: readonly Rule[]
  readonly notices: readonly string[]
  readonly problems: readonly Problem[]
}

/**
 * Resolves derived rules: the base's code and tests, and its metadata except where the derived rule sets its own. A base may itself be
 * derived. Without its base a derived rule cannot run, which is a notice.
 */
export function deriveRules(drafts: readonly DerivedDraft[], rules: readonly Rule[]): Derived {
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  const made: Rule[] = []
  const notices: string[] = []
  const problems: Problem[] = []
  let waiting = drafts
  for (;;) {
    const next = waiting.filter((draft) => byId.has(draft.base))
    if (next.length === 0) break
    waiting = waiting.filter((draft) => !byId.has(draft.base))
    for (const draft of next) {
      const { file } = draft
      try {
        const { rule, idle } = derive(draft, byId.get(draft.base)!)
        byId.set(rule.id, rule)
        made.push(rule)
        notices.push(...idle.map((key) => `${file}: ${key} has no effect: the functions in the base rule's code determine it`))
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        problems.push({ file, line: undefined, message: error.message })
      }
    }
  }
  for (const { file, id, base } of waiting) {
    notices.push(`${file}: rule '${id}' does not run: there is no rule '${base}' to derive it from (BaseDetection)`)
  }
  return { rules: made, notices, problems }
}

function derive({ id, file, base: baseDetection, says, code }: DerivedDraft, base: Rule): { rule: Rule; idle: string[] } {
  const rule: Rule = { ...base, ...says, id, file, baseDetection }
  if (code.size === 0) return { rule, idle: [] }
  const language = yamlLanguageOf(base.source.language)
  if (!language) return { rule, idle: [...code.keys()] }
  const inherited = new JsonText(base.source.code)
  const texts = language.keys.flatMap((key) => {
    const text = code.get(key) ?? inherited.slice([key])
    return text === undefined ? [] : [[key, text] as const]
  })
  const merged = codeOf(new Map(texts))
  language.check(merged, { file })
  const idle = [...code.keys()].filter((key) => !language.keys.includes(key))
  return { rule: { ...rule, source: { ...base.source, code: merged } }, idle }
}
