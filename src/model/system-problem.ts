import type { RecordedBatch } from './batch.ts'
import { LAKE_PROBLEMS } from './lake-problems.ts'
import { NODE_PROBLEMS } from './node-problems.ts'
import type { Severity } from './rule.ts'
import { TABLE_PROBLEMS } from './table-problems.ts'

/** One kind of system problem: its severity and when it is alerted on. `docs/health.md` has a row for each. */
export interface ProblemKind {
  /** What is wrong, in a few words; in the title of an alert that covers several, their names follow it. */
  readonly headline: string
  readonly severity: Severity
  /** While it lasts, health is `failing`; otherwise `degraded`. */
  readonly isFailing?: true
  /** `all`: one alert for all problems of this kind. `each`: one alert per key. */
  readonly alerts: 'all' | 'each'
  /** Problems that are over within this many milliseconds raise no alert. */
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
  ButtonsDown: {
    headline: 'The buttons of a destination do not work',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 5 * MINUTE,
    meaning:
      'What people do with the buttons on messages of a destination does not reach Caracal. The messages themselves are still sent.',
    advice:
      'The message says what fails. Check the network, the app-level token, and that Socket Mode is on in the settings of the Slack app; meanwhile use `caracal alerts`.',
  },
  CertificateExpiring: {
    headline: 'The certificate of the HTTP port expires',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'The certificate of the HTTP port ends soon, has ended or cannot be read. Senders and people will not be able to connect, or will be warned.',
    advice:
      'Renew the certificate in the files that `tls` names. Caracal takes over new files within seconds, without a restart.',
  },
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
    meaning: 'Content files cannot be used, so the rules, schemas, tables and queries in them are missing.',
    advice:
      'Fix the files listed in the alert; `caracal validate` shows all problems. Once they load they take effect without a restart (with `watch_content: false`, after `caracal reload`).',
  },
  ContentStale: {
    headline: 'Content in git is not up to date',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 10 * MINUTE,
    meaning:
      'A repository that content comes from cannot be pulled, or its latest commit cannot be put in force. What was in force before stays.',
    advice: 'The message says why. Fix the commit or the access to the repository; `caracal reload` tries again at once.',
  },
  DatagramsLost: {
    headline: 'Datagrams are lost',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'Datagrams that a source listens for were lost before it could take them: the kernel’s buffer was full, or the spool was. UDP does not tell their senders.',
    advice:
      'Raise net.core.rmem_max and `receive_buffer_bytes`, give the machine more CPU, or let senders use TCP. `caracal sources` shows the count.',
  },
  DeadLetters: {
    headline: 'Records become dead letters',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 0,
    meaning: 'Records of a source cannot be read, so no rule sees them. They are kept: `caracal dead-letters` lists them.',
    advice:
      'Compare the samples and their reasons with docs/errors.md, then fix the sender, the log type of the source or the schema. `caracal dead-letters replay` parses them again.',
  },
  DeliveryDead: {
    headline: 'Alerts were not delivered',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning: 'A destination did not accept alerts that are still open, and they will not be retried.',
    advice:
      '`caracal deliveries --state dead` says why. Fix the destination, then send the alerts again with `caracal deliveries resend --destination ID`.',
  },
  DestinationDown: {
    headline: 'Destinations do not accept alerts',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'A destination does not accept alerts at the moment. Each alert is tried ten times; meanwhile `caracal alerts` lists all of them.',
    advice: 'The message says what fails. Check the network and the receiver, and the URL and secrets of the destination.',
  },
  DiskLow: {
    headline: 'The disk is nearly full',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'The disk that holds the data folder is nearly full. Once it is full, records are no longer accepted and reading stops.',
    advice: 'Free space or enlarge the disk now. Nothing has been lost yet.',
  },
  HeartbeatFailed: {
    headline: 'The heartbeat fails',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'The URL in heartbeat_url does not answer, or a destination with heartbeat_minutes did not accept its heartbeat, so whoever waits for it may think that Caracal is down.',
    advice: 'Check the URL or the destination, the network and the service behind it.',
  },
  ...LAKE_PROBLEMS,
  NameUnknown: {
    headline: 'Content uses unknown names',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Content refers to things that do not exist (a log type, a destination, a query, a field), so part of it has no effect.',
    advice:
      'Correct the names listed in the alert, or add what they refer to; `caracal validate` suggests similar names. Changes to content take effect immediately, changes to caracal.yml after a restart.',
  },
  ...NODE_PROBLEMS,
  PathStuck: {
    headline: 'Processing is stuck',
    severity: 'CRITICAL',
    isFailing: true,
    alerts: 'all',
    afterMs: MINUTE,
    meaning: 'Reading, judging, committing or delivering has stopped. Records wait; none are lost.',
    advice: 'The message says what fails. Check disk space and memory, then restart.',
  },
  QueryFailed: {
    headline: 'Scheduled queries fail',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Scheduled queries fail or return incomplete results, so the rules that judge their rows see too few or none.',
    advice: 'Run each query manually with `caracal query` and fix it.',
  },
  QueryNotMailed: {
    headline: 'Rows of queries are not mailed',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Scheduled queries name recipients in EmailConfig, and their rows do not reach them.',
    advice:
      'Add a destination of type `email`, or fix what the message says; then `caracal deliveries resend` with the destination sends what was given up. A later mail that arrives ends the problem.',
  },
  QueryOff: {
    headline: 'Scheduled queries are off',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning: "Scheduled queries are switched off because they repeatedly brought down the lake's process.",
    advice: 'Rewrite the queries so that they need less memory and time; a changed query runs again.',
  },
  QueryOverdue: {
    headline: 'Scheduled queries are overdue',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Scheduled queries run far later than their schedule says.',
    advice: 'Spread their schedules or make them cheaper.',
  },
  ReaderStuck: {
    headline: 'A source cannot be read',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: MINUTE,
    meaning: 'A source cannot be read, or reading it hangs, so its records are not judged.',
    advice: 'Check the disk, mount or peer that the source reads from; a hung network file system needs a remount.',
  },
  RetroMatchCut: {
    headline: 'Past events were not fully searched',
    severity: 'LOW',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'A table learned of keys, and past events that contain them were not all searched for and judged again. Events from now on are judged with the table as it is.',
    advice: 'The message says what was left out. `caracal replay events` judges events of any time again.',
  },
  RowsLost: {
    headline: 'Monitoring tables in the lake are incomplete',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Since the last start the lake refused rows of its `monitor` tables (index of indicators, dead letters, rule errors), so those tables are incomplete. Events, matches and alerts are complete.',
    advice: 'The message says which rows and why. This is a bug in Caracal; please report it.',
  },
  RuleBlind: {
    headline: 'Rules read fields that events no longer have',
    severity: 'MEDIUM',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'A field that rules read has disappeared from the events of their log type, or a table no longer joins any of them, so these rules may no longer match anything.',
    advice:
      'Check whether the sender changed its format or was reconfigured, or, for a field in p_enrichment, whether the table is still filled. Then fix the sender, the schema or the rules; events with the field end the problem.',
  },
  RuleLimited: {
    headline: 'Rules reached a limit',
    severity: 'MEDIUM',
    alerts: 'all',
    afterMs: 0,
    meaning:
      'Rules reached a limit within the last hour: their alerts are grouped more coarsely, or their cache lost its oldest entries. Other rules are not affected.',
    advice:
      '`caracal rules` shows which limit was reached. Make the dedup string or the cache keys of the rule coarser, or filter out the flood.',
  },
  RuleOff: {
    headline: 'Rules are off',
    severity: 'HIGH',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Enabled rules do not run, so what they detect goes unnoticed.',
    advice:
      'Fix the rules listed in the alert and check them with `caracal test`. Once they load they take effect without a restart (with `watch_content: false`, after `caracal reload`).',
  },
  RulesImpaired: {
    headline: 'Rules are impaired',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Rules run, but more slowly than they could, or without what they knew of earlier events.',
    advice: 'The message says what is missing. It is retried at the next change of content and the next start.',
  },
  SourceSilent: {
    headline: 'Sources are silent',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning: 'A source has not sent a record for longer than its drop_off_minutes, so what happens there goes unnoticed.',
    advice:
      'Check that the sender runs and reaches Caracal (network, address, token), and that it still finds its logs. `caracal sources` shows when the last record arrived.',
  },
  SourceVolume: {
    headline: 'Sources send far more or fewer records than usual',
    severity: 'LOW',
    alerts: 'each',
    afterMs: 0,
    meaning:
      'In the last full hour a source sent far more or far fewer records than around the same hour of the days before: a sender may have lost part of its logs, or something floods it.',
    advice:
      'Compare the hours with a query over p_parse_time, by host or by log type. If the source is irregular by nature, set `volume_alarm: false` in its block.',
  },
  SpoolAway: {
    headline: 'The spool cannot be used',
    severity: 'HIGH',
    isFailing: true,
    alerts: 'all',
    afterMs: MINUTE,
    meaning:
      'The Kafka cluster of the spool does not answer, or refuses. Senders get 503 and have to send again; what waits in it is read later.',
    advice:
      'The message says what fails. Check the brokers, the network and `spool` in caracal.yml; `caracal doctor` connects as the configuration says.',
  },
  SpoolFull: {
    headline: 'The spool is nearly full',
    severity: 'HIGH',
    alerts: 'each',
    afterMs: 0,
    meaning: 'The spool is nearly full. Once it is full, senders get 429 or 503 until it has drained.',
    advice:
      'Check `caracal health` to see why records are not being read; raise spool_max_bytes or spool_source_max_bytes to absorb bursts.',
  },
  StateGrows: {
    headline: 'State cannot be cleaned up',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 0,
    meaning: 'Old deliveries, windows and alerts cannot be deleted from the state, so it keeps growing.',
    advice: 'The message says what fails. Check the disk that holds the data folder.',
  },
  ...TABLE_PROBLEMS,
  TracesNotSent: {
    headline: 'Traces are not sent',
    severity: 'LOW',
    alerts: 'all',
    afterMs: 10 * MINUTE,
    meaning:
      'The endpoint in `tracing` does not take traces of batches. Nothing else is affected, and traces that there is no room for are left out.',
    advice: 'The message says what fails. Check the endpoint, its headers and the network.',
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemWhat = keyof typeof PROBLEM_KINDS

/** The rule id of the alerts of a kind. */
export function systemRuleId(what: ProblemWhat): string {
  return `Caracal.${what}`
}

/** A kind by name, typed as the interface. */
export function kindOf(what: ProblemWhat): ProblemKind {
  return PROBLEM_KINDS[what]
}

/** Something that endangers the promise that nothing is lost and no rule is silently off. */
export interface SystemProblem {
  readonly what: ProblemWhat
  /** What it is about (a source, a table, a rule; '' when there is only one). `what` and `key` together identify a problem. */
  readonly key: string
  readonly severity: Severity
  /** What is wrong, for a person: one or a few sentences. */
  readonly message: string
  /** Names of everything affected (rules, tables, files). Default: only the key. */
  readonly covers?: readonly string[]
  /** Destinations that must not get the alert because it is about them. */
  readonly notTo?: readonly string[]
  /** The batch that met it, for the log. */
  readonly batch?: Pick<RecordedBatch, 'batchId' | 'sourceId'>
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
