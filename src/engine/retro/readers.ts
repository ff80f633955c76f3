import type { Rule } from '../../model/rule.ts'
import type { Content } from '../../packs/content.ts'

/** What a rule that may read any table contains. */
const READS = ['p_enrichment', 'lookup', 'Enrichment']

/**
 * The enabled rules of events that may read the table: it, or enrichment as such, is mentioned in their code or in a helper that they
 * import, directly or not.
 */
export function readersOf(table: string, { helpers }: Pick<Content, 'helpers'>, judged: readonly Rule[]): Rule[] {
  const words = [...READS, table]
  const mentions = (code: string) => words.some((word) => code.includes(word))
  const reading = new Set(helpers.filter(({ code }) => mentions(code)).map(({ name }) => name))
  const importers = helpers.map(({ name, code }) => ({ name, imports: importsOf(code) }))
  for (let size = -1; size !== reading.size; ) {
    size = reading.size
    for (const { name, imports } of importers) if (imports.some((one) => reading.has(one))) reading.add(name)
  }
  return judged.filter(
    ({ enabled, kind, source, inlineFilter }) =>
      enabled &&
      kind !== 'scheduled_rule' &&
      (mentions(source.code) ||
        mentions(JSON.stringify(inlineFilter ?? '')) ||
        importsOf(source.code).some((name) => reading.has(name))),
  )
}

/** Names of imported modules; all words of import lines, which may be more than the modules. */
function importsOf(code: string): string[] {
  return code
    .split('\n')
    .filter((line) => /^\s*(?:import|from)\s/.test(line))
    .flatMap((line) => line.match(/[\w.]+/g) ?? [])
    .flatMap((word) => [word, word.split('.').at(-1)!])
}
