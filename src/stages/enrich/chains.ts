import type { TableDefinition } from './definition.ts'
import { parseSelector, type SelectorText, selectorFields } from './selector.ts'

/** What a selector reads that begins with `p_enrichment`: a field of the rows that another table added under a selector of its own. */
export interface Chain {
  readonly table: string
  readonly selector: string
  /** Path in the row. */
  readonly path: readonly string[]
}

/** The part of a chain that could not be resolved. */
export type BrokenChain = 'table' | 'selector' | 'field'

/** The steps after `p_enrichment` of each chained field of a selector. */
export function chainedSteps(selector: SelectorText): string[][] {
  return selectorFields(selector).flatMap((field) => {
    const [first, ...steps] = parseSelector(field).path
    return first === 'p_enrichment' ? [steps] : []
  })
}

/** Finds out what a chain reads. `selectorsOf`: names of a table's selectors, `undefined` if there is no such table. */
export function resolveChain(
  steps: readonly string[],
  selectorsOf: (table: string) => ReadonlySet<string> | undefined,
): Chain | BrokenChain {
  const table = longest(steps, (name) => selectorsOf(name) !== undefined)
  if (table === undefined) return 'table'
  const selectors = selectorsOf(table.name)!
  const selector = longest(table.rest, (name) => selectors.has(name))
  if (selector === undefined) return 'selector'
  return selector.rest.length === 0 ? 'field' : { table: table.name, selector: selector.name, path: selector.rest }
}

/** Names of tables and selectors may contain dots: the longest one that the steps begin with. */
function longest(
  steps: readonly string[],
  isKnown: (name: string) => boolean,
): { readonly name: string; readonly rest: readonly string[] } | undefined {
  for (let length = steps.length; length > 0; length--) {
    const name = steps.slice(0, length).join('.')
    if (isKnown(name)) return { name, rest: steps.slice(length) }
  }
  return undefined
}

/** Tables that read from each other in a circle, each circle as a path that ends where it begins. */
export function chainCycles(definitions: ReadonlyMap<string, TableDefinition>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name)
    if (at >= 0) cycles.push([...path.slice(at), name])
    if (at >= 0 || done.has(name)) return
    for (const source of sourcesOf(definitions.get(name)!, definitions)) visit(source, [...path, name])
    done.add(name)
  }
  for (const name of definitions.keys()) visit(name, [])
  return cycles
}

/** The tables that a table's selectors read from. */
function sourcesOf({ associations, added }: TableDefinition, known: ReadonlyMap<string, unknown>): Set<string> {
  const selectors = [...associations, ...added].flatMap((association) => association.selectors)
  const sources = selectors.flatMap(chainedSteps).flatMap((steps) => longest(steps, (name) => known.has(name))?.name ?? [])
  return new Set(sources)
}
