import type { ProblemKind } from './system-problem.ts'

const MINUTE = 60_000

/** What Caracal reports about its lake. */
export const LAKE_PROBLEMS = {
  LakeCapped: {
    headline: 'The size limit of the lake deleted its oldest rows',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Within the last day, the lake was larger than retention.lake_max_bytes, and its oldest rows were deleted earlier than retention says.',
    advice:
      'The message says which tables and weeks went. Enlarge the disk and retention.lake_max_bytes, keep large log types for fewer days (retention.log_types), or filter records that are not needed.',
  },
  LakeDown: {
    headline: 'The lake does not accept rows',
    severity: 'HIGH',
    isFailing: true,
    alerts: 'all',
    afterMs: MINUTE,
    meaning:
      'The lake does not accept rows. Rules and alerts keep working, and rows wait in the state until they reach outbox_max_bytes.',
    advice:
      'Read the message, and check the disk and memory of the machine, or the ClickHouse server that it names. Restart if the lake does not recover by itself.',
  },
  LakeNotArchived: {
    headline: 'Old rows cannot be archived, and stay in the lake',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Rows that are older than retention says, or more than the lake may have, cannot be written to retention.archive. They are not deleted, so the lake keeps growing.',
    advice:
      'The message says what fails. It is tried again every hour. Check the folder or bucket of retention.archive, its room and its permissions.',
  },
  LakeNotPruned: {
    headline: 'Old rows stay in the lake',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Rows that are older than retention says cannot be deleted from the lake, so it keeps growing.',
    advice: 'The message says what fails. It is tried again every hour. Check the disk that holds the data folder.',
  },
  LakeReplaced: {
    headline: "The lake's process was replaced",
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      "The lake's process crashed, did not respond or could not stop a query, and was replaced. No rows are missing; queries that were running have to be run again.",
    advice: 'The message says why. Rewrite queries that need too much time or memory, and check the memory of the machine.',
  },
  LakeTooLarge: {
    headline: 'The lake is larger than its limit',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'The lake is larger than retention.lake_max_bytes, and nothing more may be deleted from it: what is left was received today, belongs to alerts on hold, was restored from the archive, or cannot be archived.',
    advice:
      'Raise retention.lake_max_bytes, filter records that are not needed, or release holds that are over (`caracal alerts --held`).',
  },
  LakeUneven: {
    headline: "The servers of the lake's cluster have different tables",
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: MINUTE,
    meaning:
      'A table differs between the servers of the cluster: a change of it did not reach all of them, or somebody else changed it. Queries of it fail or show less, and its rows may wait in the state.',
    advice:
      'The message names the table and the servers. A table that events arrive for is corrected with the next of them; correct the others on the server that it names, or restart Caracal, which creates what is missing altogether.',
  },
} as const satisfies Record<string, ProblemKind>
