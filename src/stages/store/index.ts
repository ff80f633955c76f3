import { chdb } from './chdb.ts'

/** Built-in lakes. A new one is one file in this folder and one name here. */
export const lakes = [chdb] as const
