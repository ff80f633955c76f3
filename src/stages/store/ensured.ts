import type { TableSpec } from '../../model/column.ts'
import { tableName } from './ddl.ts'

type Make = (spec: TableSpec, late: boolean) => Promise<unknown>

/** The tables that match their specs, so that only changes are asked for. */
export class Ensured {
  /** Table → the spec that it was last changed to match. */
  readonly #made = new Map<string, { readonly key: string; readonly made: Promise<void> }>()
  readonly #make: Make

  constructor(make: Make) {
    this.#make = make
  }

  /** As `Lake.ensure`. */
  async ensure(spec: TableSpec, late: boolean): Promise<void> {
    const name = tableName(spec)
    const key = JSON.stringify([spec.timeColumn, spec.columns.map((c) => [c.name, c.kind, c.required])])
    const known = this.#made.get(name)
    if (known?.key === key) return known.made
    const made = this.#make(spec, late).then(() => {})
    this.#made.set(name, { key, made })
    made.catch(() => this.#made.delete(name))
    return made
  }

  /** The table may be another one now. */
  forget(spec: TableSpec): void {
    this.#made.delete(tableName(spec))
  }
}
