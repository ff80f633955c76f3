import type { AlertWindow } from '../../model/alert.ts'

/** Where windows are kept between batches. */
export interface AlertStore {
  /** Of each group the windows that end after `atMs`, by their start. The caller may change what it gets. */
  find(groupKeys: readonly string[], atMs: number): Promise<ReadonlyMap<string, readonly AlertWindow[]>>
}
