import type { Severity } from './rule.ts'

/** One kind of system problem: how bad it is, and when people hear of it. `docs/health.md` has a row for each. */
export interface ProblemKind {
  /** What is wrong, in a few words; names follow it in the title of an alert about several. */
  readonly headline: string
  readonly severity: Severity
  /** While it lasts, health is `failing`; otherwise `degraded`. */
  readonly isFailing?: true
  /** `all`: everything of this kind goes into one alert. `each`: one alert for every key. */
  readonly alerts: 'all' | 'each'
  /** Problems that pass within this time raise no alert, milliseconds. */
  readonly afterMs: number
  /** What it means, for the alert's description. */
  readonly meaning: string
  /** What to do about it, for the alert's runbook. */
  readonly advice: string
}

const MINUTE = 60_000

/**
 * Everything that Caracal reports about itself. A name here is the `<What>` of the rule id `Caracal.<What>` of its alerts, and
 * never changes.
 */
export const PROBLEM_KINDS = {
  ClockJumped: {
    headline: 'The clock jumped',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'The clock of this machine jumped. Alert windows, schedules and receive times around the jump are off by its length.',
    advice: 'Check time synchronisation (chrony, ntpd) and whether the machine was suspended.',
  },
  ContentBroken: {
    headline: 'Content files cannot be used',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Content files cannot be used: whatever rules, schemas, tables or queries they hold are missing.',
    advice:
      'Fix the files that the alert lists; `caracal validate` shows all problems. Once they load, they are in force without a restart (with `watch_content: false` after `caracal reload`).',
  },
  DeadLetters: {
    headline: 'Records become dead letters',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 0,
    meaning: 'Records of a source cannot be read, so no rule sees them. They are kept in monitor.dead_letters.',
    advice:
      'Compare the samples and their reasons with docs/errors.md, then fix the sender, the log type of the source or the schema.',
  },
  DeliveryDead: {
    headline: 'Alerts were not delivered',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning: 'A destination did not take alerts that are still open, and no further try will be made.',
    advice:
      'Read the alerts with `caracal alerts`, fix the destination, and set the alerts to another status when they are dealt with.',
  },
  DestinationDown: {
    headline: 'Destinations do not take alerts',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'A destination does not take alerts at the moment. Each is tried ten times; `caracal alerts` lists all of them meanwhile.',
    advice: 'The message says what fails. Check the network and the receiver, or the URL and the secrets of the destination.',
  },
  DiskLow: {
    headline: 'The disk is nearly full',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning: 'The disk of the data folder is nearly full. When it is full, nothing more is taken and reading stops.',
    advice: 'Free space or enlarge the disk now. Nothing has been lost yet.',
  },
  HeartbeatFailed: {
    headline: 'The heartbeat is not heard',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 0,
    meaning: 'The address in heartbeat_url does not answer, so whoever watches it may believe that Caracal is dead.',
    advice: 'Check the address, the network and the service behind it.',
  },
  LakeDown: {
    headline: 'The lake takes no rows',
    severity: 'HIGH',
    isFailing: true,
    alerts: 'all',
    afterMs: MINUTE,
    meaning: 'The lake takes no rows. Rules and alerts go on and rows wait in the state, until outbox_max_bytes of them wait.',
    advice: 'Check the disk and the memory of the machine, and the message. Restart if the lake does not come back by itself.',
  },
  LakeReplaced: {
    headline: "The lake's process was replaced",
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'The process of the lake crashed, did not answer or could not stop a query, and was replaced. Rows are complete; queries that were running had to be asked again.',
    advice: 'The message says why. Change queries that need too much time or memory, and check the memory of the machine.',
  },
  NameUnknown: {
    headline: 'Content uses unknown names',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Content uses names that nothing answers to (a log type, a destination, a query, a field), so a part of it has no effect.',
    advice:
      'Correct the names that the alert lists, or add what they name; `caracal validate` suggests the nearest ones. Edits of content count at once, those of caracal.yml after a restart.',
  },
  PathStuck: {
    headline: 'The path does not go on',
    severity: 'CRITICAL',
    isFailing: true,
    alerts: 'all',
    afterMs: MINUTE,
    meaning: 'Reading, judging, committing or delivering has stopped. Records wait; none is lost.',
    advice: 'The message says what fails. Check disk space and memory, then restart.',
  },
  QueryFailed: {
    headline: 'Scheduled queries fail',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Scheduled queries do not run or have no complete answer, so the rules that judge their rows see nothing or too little.',
    advice: 'Run each query by hand with `caracal query` and fix its text.',
  },
  QueryOff: {
    headline: 'Scheduled queries are off',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Scheduled queries are switched off because they ended the process of the lake again and again.',
    advice: 'Change the queries so that they need less memory and time: a changed query runs again.',
  },
  QueryOverdue: {
    headline: 'Scheduled queries are overdue',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Scheduled queries wait far longer than their schedule says.',
    advice: 'Spread their schedules or make them cheaper.',
  },
  ReaderStuck: {
    headline: 'A source cannot be read',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: MINUTE,
    meaning: 'A source cannot be read, or reading it hangs: what it holds is not judged.',
    advice: 'Check the disk, mount or peer that the source reads from; a hung network file system needs a remount.',
  },
  RowsLost: {
    headline: 'The lake lacks rows about Caracal itself',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'The lake refused rows of its tables in `monitor` (index of indicators, dead letters, rule errors) since the last start, so these lack them. Events, matches and alerts are complete.',
    advice: 'The message says which rows and why. It is a fault of Caracal: report it.',
  },
  RuleLimited: {
    headline: 'Rules reached a limit',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Rules reached a limit within the last hour: their alerts are grouped more coarsely, or their cache lost its oldest entries. Other rules are not affected.',
    advice:
      'See `caracal rules` for what was reached. Make the dedup string or the keys of the rule coarser, or filter the flood.',
  },
  RuleOff: {
    headline: 'Rules are off',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Enabled rules do not run, so whatever they look for goes unnoticed.',
    advice:
      'Fix the rules that the alert lists and check them with `caracal test`. Once they load, they are in force without a restart (with `watch_content: false` after `caracal reload`).',
  },
  RulesImpaired: {
    headline: 'Rules are impaired',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Rules run, but more slowly than they could, or without knowledge of earlier events.',
    advice: 'The message says what is missing. The next change of content and the next start try again.',
  },
  SpoolFull: {
    headline: 'The spool is nearly full',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning: 'The spool is nearly full. Once it is, senders are refused with 429 or 503 until it has emptied.',
    advice:
      'Check `caracal health` for what keeps records from being read; raise spool_max_bytes or spool_source_max_bytes for bursts.',
  },
  StateGrows: {
    headline: 'State cannot be cleaned up',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Old deliveries, windows and alerts cannot be deleted from the state, which grows until they can be.',
    advice: 'The message says what fails. Check the disk of the data folder.',
  },
  TableRefused: {
    headline: 'Table content is refused',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning: 'The content of lookup tables cannot be used; the last good version stays in force.',
    advice: 'The message says what is wrong with the content. Check the provider, the format and the primary key.',
  },
  TableStale: {
    headline: 'Tables are stale',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 10 * MINUTE,
    meaning: 'Lookup tables are empty or older than their alarm period, because their refresh fails.',
    advice: 'Check the network and the provider; `caracal tables refresh <name>` tries again at once.',
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemWhat = keyof typeof PROBLEM_KINDS

/** The rule id of the alerts of a kind. */
export function systemRuleId(what: ProblemWhat): string {
  return `Caracal.${what}`
}

/** The kind as the interface, for whoever goes by a name. */
export function kindOf(what: ProblemWhat): ProblemKind {
  return PROBLEM_KINDS[what]
}

/** Something that stands in the way of the promise that nothing is lost and no rule is silently off. */
export interface SystemProblem {
  readonly what: ProblemWhat
  /** What it is about (a source, a table, a rule; '' when there is only one): the same `what` and `key` is the same problem. */
  readonly key: string
  readonly severity: Severity
  /** What is wrong, for a person: one or a few sentences. */
  readonly message: string
  /** Names of everything affected (rules, tables, files); the key alone when absent. */
  readonly covers?: readonly string[]
  /** Destinations that must not get the alert: the ones that it is about. */
  readonly notTo?: readonly string[]
  /** Evidence for the alert's context, a plain JSON value. */
  readonly evidence?: unknown
}

/** A system problem of its kind's severity, unless `more` says otherwise. */
export function systemProblem(
  what: ProblemWhat,
  key: string,
  message: string,
  more: Partial<Omit<SystemProblem, 'what' | 'key' | 'message'>> = {},
): SystemProblem {
  return { what, key, message, severity: kindOf(what).severity, ...more }
}
