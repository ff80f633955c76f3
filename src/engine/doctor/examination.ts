/** What an examination found. */
export interface Finding {
  /** `skipped`: it could not be examined, and the message says why. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped'
  /** A short statement with the values found. */
  readonly message: string
  /** What to do, unless all is well. */
  readonly advice?: string
}

/** Examines one thing that Caracal depends on. It changes nothing, and whatever it throws is reported as failed. */
export interface Examination {
  readonly name: string
  run(): Finding | Promise<Finding>
}

export function ok(message: string): Finding {
  return { state: 'ok', message }
}

export function warning(message: string, advice: string): Finding {
  return { state: 'warning', message, advice }
}

export function failed(message: string, advice: string): Finding {
  return { state: 'failed', message, advice }
}

export function skipped(message: string): Finding {
  return { state: 'skipped', message }
}
