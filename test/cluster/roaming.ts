import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CONTENT, SITES } from '../../src/engine/makers/makers.fixture.ts'
import { seeded } from '../support/random.ts'
import { tryToPost } from './post.ts'
import { SEED, SIZE } from './size.ts'
import type { Shape } from './world.ts'

/** Sources over HTTP, and one that is a file. */
export const HTTP_SOURCES = SITES
export const FILE_SOURCE = 'roof'
export const SOURCES = [...HTTP_SOURCES, FILE_SOURCE]

const BODY_LOGINS = 50
const USERS = 30
/** Where in a body a temporary account fails, and where it succeeds if it does. */
const [FAILS_AT, SUCCEEDS_AT] = [10, 40]
/** Two events never have the same time: of signals with one time, the one with the lower row id comes first, and row ids depend on the spool. */
const EVERY_MS = 20

const python = (id: string, more: string) =>
  `AnalysisType: rule\nRuleID: Test.${id}\nFilename: ${id.toLowerCase()}.py\nEnabled: true\nLogTypes: [Custom.Login]\n${more}`

/** Nothing that it remembers is forgotten during the test, which would happen by the clock. */
const correlation = (id: string, what: string) =>
  `AnalysisType: correlation_rule\nRuleID: Test.${id}\nEnabled: true\nSeverity: High\nDetection:\n${what}    LookbackWindowMinutes: 1440\n    Schedule: { RateMinutes: 1440, TimeoutMinutes: 1 }\n`

const sequence = (id: string, from: string, to: string, absence = '') =>
  correlation(
    id,
    `  - Sequence:\n      - { ID: From, RuleID: Test.${from} }\n      - { ID: To, RuleID: Test.${to}${absence} }\n    Transitions:\n      - { ID: then, From: From, To: To, WithinTimeFrameMinutes: 5, Match: [{ On: p_alert_context.user }] }\n`,
  )

const member = (id: string, count: number) => `      - { ID: ${id}, RuleID: Test.${id}, MinMatchCount: ${count} }\n`
const matchOf = (id: string) => `        - { GroupID: ${id}, Match: p_alert_context.user }\n`

const CONTEXT = 'def alert_context(event):\n    return {"user": event.get("user")}\n'
const CACHE = 'from panther_detection_helpers.caching import '

/** Content whose outcome depends on the order in which events of the same users at different sites are judged. */
const ROAMING: Readonly<Record<string, string>> = {
  'login.schema.yml': CONTENT['login.schema.yml']!,
  // Where a user was last seen. Its rows count from the next batch on.
  'visits.yml':
    'AnalysisType: lookup_table\nLookupName: visits\nEvents:\n  LogTypes: [Custom.Login]\n  Columns: { user: user, site: p_source_id, ip: ip }\n  TimeoutSeconds: { Read: 86400 }\nLogTypeMap:\n  PrimaryKey: user\n  AssociatedLogTypes:\n    - { LogType: Custom.Login, Selectors: [user] }\n',
  // Judged anywhere, from the row of that table.
  'elsewhere.yml': python('Elsewhere', 'Severity: Low\n'),
  'elsewhere.py':
    'def _last(event):\n    return event.deep_get("p_enrichment", "visits", "user", "site")\n\n\ndef rule(event):\n    return event.get("user").startswith("far") and _last(event) not in (None, event.get("p_source_id"))\n\n\ndef title(event):\n    return f"{event.get(\'user\')} was at {_last(event)} before {event.get(\'p_source_id\')}"\n\n\ndef dedup(event):\n    return f"{event.get(\'user\')} {_last(event)}"\n',
  // The same from what the rule remembers, event by event.
  'moved.yml': python('Moved', 'Severity: Medium\n'),
  'moved.py': `${CACHE}get_dictionary, put_dictionary\n\n\ndef rule(event):\n    user, site = event.get("user"), event.get("p_source_id")\n    if not user.startswith("far"):\n        return False\n    before = get_dictionary(f"site of {user}")\n    put_dictionary(f"site of {user}", {"site": site, "moves": before.get("moves", 0) + (before.get("site") != site)})\n    return before.get("site") not in (None, site)\n\n\ndef title(event):\n    return f"{event.get('user')} came to {event.get('p_source_id')}"\n\n\ndef dedup(event):\n    return f"{event.get('user')} {get_dictionary('site of ' + event.get('user'))['moves'] // 20}"\n\n\n${CONTEXT}`,
  'often.yml': python('Often', 'Severity: Medium\n'),
  'often.py': `${CACHE}get_counter, increment_counter\n\n\ndef rule(event):\n    return event.get("ok") is False and increment_counter(event.get("user")) % 15 == 0\n\n\ndef title(event):\n    return f"failure {get_counter(event.get('user'))} of {event.get('user')}, at {event.get('p_source_id')}"\n\n\ndef dedup(event):\n    return f"{event.get('user')} {get_counter(event.get('user')) // 60}"\n\n\n${CONTEXT}`,
  // Its windows become alerts at a moment, and are called what their first match says.
  'spray.yml': python('Spray', 'Severity: Medium\nThreshold: 5\nDedupPeriodMinutes: 5\n'),
  'spray.py':
    'def rule(event):\n    return event.get("ok") is False and event.get("ip") in ("10.0.0.1", "10.0.0.2")\n\n\ndef unique(event):\n    return event.get("p_source_id") + event.get("ip")\n\n\ndef title(event):\n    return f"{event.get(\'user\')} began at {event.get(\'p_source_id\')} from {event.get(\'ip\')}"\n\n\ndef dedup(event):\n    return event.get("user")\n\n\ndef severity(event):\n    return "HIGH" if event.get("ip") == "10.0.0.2" else "LOW"\n',
  // Every second refusal of any temporary account at any site.
  'refused.yml': python('Refused', 'Severity: Info\nCreateAlert: false\n'),
  'refused.py': `${CACHE}increment_counter\n\n\ndef rule(event):\n    return event.get("user").startswith("temp-") and event.get("ok") is False and increment_counter("refusals") % 2 == 0\n\n\n${CONTEXT}`,
  'accepted.yml':
    'AnalysisType: rule\nRuleID: Test.Accepted\nEnabled: true\nLogTypes: [Custom.Login]\nSeverity: Info\nCreateAlert: false\nDetection:\n  - { Key: user, Condition: StartsWith, Value: temp- }\n  - { Key: ok, Condition: Equals, Value: true }\nAlertContext:\n  - { KeyName: user, KeyValue: { Key: user } }\n',
  'returned.yml': sequence('Returned', 'Refused', 'Accepted'),
  // An absence is certain a minute after it was seen.
  ...(SIZE.hasAbsence && { 'gone.yml': sequence('Gone', 'Refused', 'Accepted', ', Absence: true') }),
  // Between sites.
  'followed.yml': sequence('Followed', 'Moved', 'Often'),
  'combined.yml': correlation(
    'Combined',
    `  - Group:\n${member('Moved', 4)}${member('Often', 2)}    MatchCriteria:\n      user:\n${matchOf('Moved')}${matchOf('Often')}`,
  ),
}

/** The sources, of which one is a file in `folder`; `servers` is the part of the configuration that names servers. */
export function roaming(folder: string, roles: Shape['roles'], servers: object = {}): Shape {
  const log = { type: 'file', id: FILE_SOURCE, log_types: ['Custom.Login'], paths: [fileIn(folder)], poll_ms: 50 }
  return {
    roles,
    content: (content) => {
      mkdirSync(content)
      for (const [name, text] of Object.entries(ROAMING)) writeFileSync(join(content, name), text)
    },
    config: () => ({
      sources: [...HTTP_SOURCES.map((id) => ({ type: 'http', id, log_types: ['Custom.Login'] })), log],
      ...servers,
    }),
  }
}

export const fileIn = (folder: string) => join(folder, 'logins.log')

/** Where bodies are posted to: a source, and the port of the moment. */
export interface Feed {
  readonly source: string
  readonly port: (attempt: number) => number
}

/** Senders of logins of the same users at all sites, two for each source, and one that writes the file. */
export class Senders {
  /** Number of records that were acknowledged or written. */
  records = 0
  /** Bodies that were acknowledged, by source. */
  readonly taken = new Map<string, string[]>(HTTP_SOURCES.map((source) => [source, []]))
  readonly #startMs = Date.now() - 45 * 60_000
  readonly #pauseMs: number

  constructor(feeds: number, perSecond: number) {
    this.#pauseMs = (BODY_LOGINS * feeds * 1000) / perSecond
  }

  /** Posts bodies, one after the other. */
  async post(feed: number, { source, port }: Feed, token: string, isOver: () => boolean): Promise<void> {
    for (const body of this.#bodies(feed)) {
      if (isOver()) return
      for (let attempt = 0; ; attempt++) {
        const answer = await tryToPost(port(attempt), token, source, body)
        if (answer === 'again' && !isOver()) {
          await sleep(100)
          continue
        }
        if (answer === 'taken') {
          this.taken.get(source)!.push(body)
          this.records += BODY_LOGINS
        }
        break
      }
      await sleep(this.#pauseMs)
    }
  }

  async write(feed: number, folder: string, isOver: () => boolean): Promise<void> {
    for (const body of this.#bodies(feed)) {
      if (isOver()) return
      appendFileSync(fileIn(folder), body)
      this.records += BODY_LOGINS
      await sleep(this.#pauseMs)
    }
  }

  /** In every third body a temporary account fails to sign in; in every second one of these it succeeds after that. */
  *#bodies(feed: number): Generator<string> {
    const random = seeded(SEED + feed)
    const any = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!
    const users = Array.from({ length: USERS }, (_, i) => (i < USERS / 6 ? `far-${i}` : `user-${i}`))
    const ips = Array.from({ length: 8 }, (_, i) => `10.0.0.${i}`)
    for (let body = 0; ; body++)
      yield Array.from({ length: BODY_LOGINS }, (_, i) => {
        const at = this.#startMs + (body * BODY_LOGINS + i) * EVERY_MS + feed
        const made = { at, user: any(users), ok: random() < 0.5, ip: any(ips) }
        const user = `temp-${feed}-${body}`
        if (body % 3 > 0) return `${JSON.stringify(made)}\n`
        if (i === FAILS_AT) return `${JSON.stringify({ ...made, user, ok: false })}\n`
        if (i === SUCCEEDS_AT && body % 2 === 0) return `${JSON.stringify({ ...made, user, ok: true })}\n`
        return `${JSON.stringify(made)}\n`
      }).join('')
  }
}
