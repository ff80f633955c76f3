/** What functions of a detection returned (JSON text by function, or the golden values) and which errors they raised. */
export interface Returned {
  readonly out: Readonly<Record<string, unknown>>
  readonly errors: Readonly<Record<string, string>>
}

export function compareRun(run: Returned, golden: Returned, nowMs: number): { explained: string[]; differences: string[] }
