import type { FieldPath } from '../rule-reads.ts'
import type { Condition, Field } from './condition.ts'

/** The fields of the event that a condition reads, in order, perhaps repeatedly. */
export function fieldsOf(condition: Condition): readonly Field[] {
  switch (condition.op) {
    case 'always':
      return []
    case 'and':
    case 'or':
    case 'onlyOne':
    case 'none':
      return condition.of.flatMap(fieldsOf)
    case 'not':
      return fieldsOf(condition.of)
    case 'compareFields':
      return [condition.left, condition.right]
    case 'elements':
      // Paths inside `where` begin at the element, but rows of tables are always those of the whole event.
      return [condition.field, ...fieldsOf(condition.where).filter(({ kind }) => kind === 'enrichment')]
    default:
      return [condition.field]
  }
}

/** Where a field is in the event; empty for the event itself. Rows of a table are under its name in `p_enrichment`. */
export function pathOf(field: Field): FieldPath {
  if (field.kind === 'enrichment') return ['p_enrichment', field.table]
  const end = field.segments.findIndex((segment) => typeof segment !== 'string')
  return (end === -1 ? field.segments : field.segments.slice(0, end)) as readonly string[]
}
