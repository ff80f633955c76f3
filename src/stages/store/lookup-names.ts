/** The database with a view for each lookup table, and one for its history. */
export const LOOKUPS = 'lookups'

/** The name in `lookups` for any spelling of a table's name, as Panther derives it: `OTX.Pulses` is `otx_pulses`. */
export function lookupName(table: string): string {
  return table.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
}
