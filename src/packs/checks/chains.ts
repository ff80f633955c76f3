import { chainedSteps, resolveChain } from '../../stages/enrich/chains.ts'
import { selectorName } from '../../stages/enrich/selector.ts'
import { schemaOfIndicators } from '../../stages/enrich/table-schema.ts'
import type { LoadedTable } from '../compile.ts'
import type { Problem } from '../content.ts'
import { suggestion } from '../issues.ts'
import type { Check } from './check.ts'

/** Selectors that read what another table added: the table, its selector and the field must exist. */
export const checkChains: Check = ({ tables }, { known }) => {
  const checked = new Set(tables.map(({ file }) => file))
  const all = [...known.tables.values()].flatMap(({ definition }) => [...definition.associations, ...definition.added])
  const problems = all
    .filter(({ file }) => checked.has(file))
    .flatMap(({ selectors, file }) =>
      selectors.flatMap((selector) =>
        chainedSteps(selector).flatMap((steps): Problem[] => {
          const wrong = problemOf(steps, known.tables)
          if (wrong === undefined) return []
          return [{ file, line: undefined, message: `Selectors: '${selectorName(selector)}': ${wrong}` }]
        }),
      ),
    )
  return { problems, notices: [] }
}

const FORM = 'write p_enrichment.<table>.<selector>.<field>'

function problemOf(steps: readonly string[], tables: ReadonlyMap<string, LoadedTable>): string | undefined {
  const chain = resolveChain(steps, (name) => {
    const table = tables.get(name)
    return table && selectorsOf(table)
  })
  const [first = ''] = steps
  if (chain === 'table') return `there is no table '${first}'${suggestion(first, tables.keys())}: ${FORM}`
  if (chain === 'selector')
    return `its table has no such selector: ${FORM}, with a selector that the table's own YAML or an extension names`
  if (chain === 'field') return `it names no field of the rows: ${FORM}`
  const { fields, name } = tables.get(chain.table)!.schema ?? {}
  const [field] = chain.path
  if (fields === undefined || fields.has(field!) || field === 'p_match' || field === 'p_version') return undefined
  return `the schema '${name}' of table '${chain.table}' has no field '${field}'${suggestion(field!, fields)}`
}

function selectorsOf({ definition, schema }: LoadedTable): ReadonlySet<string> {
  const named = [...definition.associations, ...definition.added].flatMap(({ selectors }) => selectors.map(selectorName))
  const indicators = definition.indicators?.[definition.primaryKey] ?? []
  const automatic = schema
    ? schema.automaticOf(definition.primaryKey)
    : schemaOfIndicators({ key: indicators }).automaticOf('key')
  return new Set(automatic === undefined ? named : [...named, automatic])
}
