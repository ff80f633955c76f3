import { sqliteState } from './db.ts'

/** Where state is kept. A new one runs through `test/suites/states.ts`. */
export const states = [sqliteState] as const
