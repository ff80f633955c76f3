/** When something runs: every so many minutes, or at the times of a cron expression (UTC). */
export type Schedule = { readonly timeoutMinutes: number } & ({ readonly rateMinutes: number } | { readonly cron: string })
