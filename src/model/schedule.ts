/** When something runs: at an interval in minutes, or according to a cron expression (UTC). */
export type Schedule = { readonly timeoutMinutes: number } & ({ readonly rateMinutes: number } | { readonly cron: string })
