import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CONTENT, SITES } from '../../src/engine/makers/makers.fixture.ts'
import { seeded } from '../support/random.ts'
import { SEED, SIZE } from './size.ts'
import type { Shape } from './world.ts'

export { SITES }

export const BODY_LOGINS = 200
/** Where in a body a temporary account fails, and where it succeeds, if it does. */
const [FAILS_AT, SUCCEEDS_AT] = [50, 120]

const signal = (id: string, ok: boolean) =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [Custom.Login]\nSeverity: Info\nCreateAlert: false\nDetection:\n  - { Key: user, Condition: StartsWith, Value: temp- }\n  - { Key: ok, Condition: Equals, Value: ${ok} }\nAlertContext:\n  - { KeyName: user, KeyValue: { Key: user } }\n`

const sequence = (id: string, absence: string) =>
  `AnalysisType: correlation_rule\nRuleID: ${id}\nEnabled: true\nSeverity: High\nDetection:\n  - Sequence:\n      - { ID: Refused, RuleID: Refused }\n      - { ID: Accepted, RuleID: Accepted${absence} }\n    Transitions:\n      - { ID: then, From: Refused, To: Accepted, WithinTimeFrameMinutes: 5, Match: [{ On: p_alert_context.user }] }\n    LookbackWindowMinutes: 60\n    Schedule: { RateMinutes: 60, TimeoutMinutes: 1 }\n`

/** What the pipeline's own tests have for every way in which records depend on each other, with sequences and an absence. */
const ALL_CONTENT: Readonly<Record<string, string>> = {
  ...CONTENT,
  'refused.yml': signal('Refused', false),
  'accepted.yml': signal('Accepted', true),
  'returned.yml': sequence('Returned', ''),
  // An absence is certain a minute after it was seen.
  ...(SIZE.hasAbsence && { 'gone.yml': sequence('Gone', ', Absence: true') }),
}

/** One HTTP source for each site; `servers` is the part of the configuration that names servers. */
export function logins(roles: Shape['roles'], servers: object = {}): Shape {
  return {
    roles,
    content: (folder) => {
      mkdirSync(folder)
      for (const [name, text] of Object.entries(ALL_CONTENT)) writeFileSync(join(folder, name), text)
    },
    config: () => ({ sources: SITES.map((id) => ({ type: 'http', id, log_types: ['Custom.Login'] })), ...servers }),
  }
}

/** Each body is of one site, a second after the one before. Windows that an absence waits for are over. */
const startMs = Date.now() - 45 * 60_000

/**
 * The bodies of a site, always the same. In every one a temporary account fails to sign in; in every second one it succeeds
 * after that.
 */
export function* bodies(site: string, count: number): Generator<string> {
  const random = seeded(SEED + SITES.indexOf(site))
  const any = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!
  for (let body = 0; body < count; body++)
    yield Array.from({ length: BODY_LOGINS }, (_, i) => {
      const made = {
        at: startMs + body * 1000 + i,
        user: any(['ann', 'bob', 'eve']),
        ok: random() < 0.5,
        ip: any(['10.0.0.1', '10.0.0.2', '10.0.0.3', '']),
      }
      const user = `temp-${site}-${body}`
      if (i === FAILS_AT) return JSON.stringify({ ...made, user, ok: false })
      if (i === SUCCEEDS_AT && succeeds(body)) return JSON.stringify({ ...made, user, ok: true })
      return JSON.stringify(made)
    }).join('\n')
}

const succeeds = (body: number) => body % 2 === 0

/** Number of alerts of the two sequences after that many bodies of each site. */
export function sequencesOf(count: number): { readonly Returned: number; readonly Gone: number } {
  const returned = Math.ceil(count / 2)
  return { Returned: returned * SITES.length, Gone: SIZE.hasAbsence ? (count - returned) * SITES.length : 0 }
}
