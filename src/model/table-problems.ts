import type { ProblemKind } from './system-problem.ts'

const MINUTE = 60_000

/** What Caracal reports about lookup tables. */
export const TABLE_PROBLEMS = {
  TableBudgetSpent: {
    headline: 'The budget of live tables is spent',
    severity: 'LOW',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'A live table has asked its service for as many addresses as it may on one day. Addresses that occur until midnight UTC wait, or are passed over if too many do.',
    advice:
      'Raise per_day if your plan allows it, or join the table to fewer logs. `caracal tables` shows how many addresses wait and were passed over.',
  },
  TableFull: {
    headline: 'Tables that events write are full',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'Within the last hour, events have written more rows into a lookup table than it may have, or rows that are too long. The rows written longest ago are missing, so rules may take known keys for new ones.',
    advice:
      'The message says which limit was reached. Raise MaxRows, let rows expire (TimeoutSeconds), or let fewer events write (Detection).',
  },
  TableKeyRefused: {
    headline: 'The key of live tables is missing or refused',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'A live table cannot ask its service, because its key is missing in the configuration or the service does not accept it.',
    advice:
      'Correct the key in caracal.yml (`keys`), then `caracal tables refresh <name>`; otherwise it is tried again every hour.',
  },
  TableRefreshFailed: {
    headline: 'A table cannot be refreshed',
    severity: 'LOW',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'The provider of a lookup table has failed several times in a row. The last good version stays in force and grows old.',
    advice:
      'The message says how it fails. Check the provider and the network; `caracal tables refresh <name>` retries immediately.',
  },
  TableRefused: {
    headline: 'Table content was rejected',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'What a provider of lookup tables answered cannot be used, or it cannot be trusted (certificate, redirect); the last good version stays in force.',
    advice: 'The message says what is wrong. Check the provider, the format and the primary key.',
  },
  TableStale: {
    headline: 'Tables are stale',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 10 * MINUTE,
    meaning: 'Lookup tables are empty or older than their alarm period, because their refresh fails.',
    advice: 'Check the network and the provider; `caracal tables refresh <name>` retries immediately.',
  },
} as const satisfies Record<string, ProblemKind>
