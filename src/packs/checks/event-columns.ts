import { fits, has } from '../../stages/enrich/associations.ts'
import type { Problem } from '../content.ts'
import { suggestion } from '../issues.ts'
import type { Check } from './check.ts'

/** Fields that events write into tables (`Events.Columns`): at least one of the log types must be able to have each. */
export const checkEventColumns: Check = (_content, { known }) => {
  const schemas = [...known.schemas.values()]
  const problems = [...known.tables.values()].flatMap(({ definition: { events, file } }): Problem[] => {
    const writing = schemas.filter(({ name }) => events?.logTypes.some((logType) => fits(logType, name)))
    // A log type without a schema is reported with the other names.
    if (!events || writing.length === 0) return []
    return events.columns
      .filter(([, { name }]) => !writing.some((schema) => has(schema, name)))
      .map(([column, { name }]) => {
        const advice = suggestion(name, new Set(writing.flatMap(({ columns }) => columns.map((one) => one.name))))
        const types = writing.map((schema) => schema.name).join(', ')
        const message = `Events.Columns.${column}: ${types} has no field '${name}'${advice || ': correct the name or remove the column'}`
        return { file, line: undefined, message }
      })
  })
  return { problems, notices: [] }
}
