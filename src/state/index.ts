import { sqliteState } from './db.ts'

/** State backends. A new one is tested by `test/suites/states.ts`. */
export const states = [sqliteState] as const
