/** Numbers of rows of the tables. */
export const TABLES: readonly number[]
/** Writes the tables and rules into a folder. */
export function content(folder: string): void
