import { UsageError } from './exit.ts'

/** The values of `--table NAME=FILE`. */
export function readTables(pairs: readonly string[]): Readonly<Record<string, string>> {
  const tables = new Map<string, string>()
  for (const pair of pairs) {
    const [, name, file] = /^([^=]+)=(.+)$/s.exec(pair) ?? []
    if (name === undefined || file === undefined)
      throw new UsageError(`--table '${pair}' is not NAME=FILE, as in tor_exit_nodes=exits.txt`)
    if (tables.has(name)) throw new UsageError(`--table ${name} is specified twice`)
    tables.set(name, file)
  }
  return Object.fromEntries(tables)
}
