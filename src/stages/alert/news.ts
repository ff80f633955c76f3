import type { AlertWindow } from '../../model/alert.ts'
import { isOver } from '../../model/alert-work.ts'
import { INDICATOR_FIELDS } from '../../model/event.ts'
import type { ActiveMute, MuteCount, MuteCriteria } from '../../model/mute.ts'
import { severityRank } from '../../model/mute.ts'
import { glob } from '../../util/glob.ts'
import { logTypeOf } from './log-type.ts'
import type { Judged } from './step.ts'

/** A change of an alert that was open before, which its destinations may be notified of. */
export interface AlertNews {
  readonly window: AlertWindow
  /**
   * `unmuted`: a match joined that no mute covers, so it is sent now. `reopened`: it was resolved or closed, and a match joined. `updated`:
   * it grew or became more severe.
   */
  readonly kind: 'unmuted' | 'reopened' | 'updated'
}

/** An alert is news again when it has this many times as many events as when people were last notified. */
const GROWTH = 10

interface Seen {
  readonly wasOpened: boolean
  readonly wasMuted: boolean
  wasReopened: boolean
  /** A finding that no mute covers has joined. */
  isHeard: boolean
}

/** Follows the windows of a decision: which of their findings are muted, and what is news. */
export class News {
  readonly #mutes: readonly { readonly mute: ActiveMute; readonly covers: (item: Judged) => boolean }[]
  readonly #seen = new Map<AlertWindow, Seen>()
  readonly #counts = new Map<string, { matches: number; alerts: number }>()

  constructor(mutes: readonly ActiveMute[]) {
    this.#mutes = mutes.map((mute) => ({ mute, covers: coverOf(mute.criteria) }))
  }

  /** A finding is about to join a window. `atMs` is when it was received. */
  joins(window: AlertWindow, item: Judged, atMs: number): void {
    const { finding } = item
    const mute = this.#mutes.find(({ mute: { expiresMs }, covers }) => atMs < expiresMs && covers(item))?.mute
    let seen = this.#seen.get(window)
    if (!seen) {
      seen = { wasOpened: window.opened, wasMuted: typeof window.mutedBy === 'string', wasReopened: false, isHeard: false }
      this.#seen.set(window, seen)
    }
    // Alerts of earlier versions: people know of them as they are.
    if (window.opened) window.body.notified ??= noted(window)
    if (finding.kind === 'match' && severityRank(finding.severity) > severityRank(window.severity))
      window.severity = finding.severity
    if (mute) {
      this.#count(mute.muteId).matches++
      if (window.eventCount === 0) window.mutedBy = mute.muteId
      return
    }
    seen.isHeard = true
    if (window.mutedBy) window.mutedBy = null
    if (window.opened && isOver(window)) {
      window.status = 'OPEN'
      seen.wasReopened = true
    }
  }

  /** Call once, when every finding has joined. */
  finish(): { readonly changes: readonly AlertNews[]; readonly mutes: readonly MuteCount[] } {
    const changes: AlertNews[] = []
    for (const [window, seen] of this.#seen) {
      if (!window.opened) continue
      if (!seen.wasOpened) {
        if (window.mutedBy) this.#count(window.mutedBy).alerts++
        window.body.notified = noted(window)
      } else if (seen.isHeard && (seen.wasMuted || seen.wasReopened || hasGrown(window))) {
        changes.push({ window, kind: seen.wasMuted ? 'unmuted' : seen.wasReopened ? 'reopened' : 'updated' })
        window.body.notified = noted(window)
      }
    }
    return { changes, mutes: [...this.#counts].map(([muteId, count]) => ({ muteId, ...count })) }
  }

  #count(muteId: string): { matches: number; alerts: number } {
    const count = this.#counts.get(muteId) ?? { matches: 0, alerts: 0 }
    this.#counts.set(muteId, count)
    return count
  }
}

function noted({ eventCount, severity }: AlertWindow): { events: number; severity: AlertWindow['severity'] } {
  return { events: eventCount, severity }
}

function hasGrown({ eventCount, severity, body: { notified } }: AlertWindow): boolean {
  if (!notified) return false
  return eventCount >= GROWTH * notified.events || severityRank(severity) > severityRank(notified.severity)
}

/** Rule errors are never muted: they say that matches may be missing. */
function coverOf({ rule, dedup, title, indicator, severities, logType, exact }: MuteCriteria): (item: Judged) => boolean {
  const judge = (text: string | undefined) => judgeOf(text, exact === true)
  const texts = { rule: judge(rule), dedup: judge(dedup), title: judge(title), logType: judge(logType) }
  return (item) => {
    const { finding, event } = item
    if (finding.kind !== 'match') return false
    if (!texts.rule(finding.ruleId) || !texts.dedup(finding.dedup) || !texts.title(finding.title)) return false
    if (severities && !severities.includes(finding.severity)) return false
    const own = logTypeOf(item)
    if (logType !== undefined && !(own !== undefined && texts.logType(own))) return false
    return indicator === undefined || INDICATOR_FIELDS.some((field) => has(event?.[field], indicator))
  }
}

function judgeOf(criterion: string | undefined, isExact: boolean): (text: string) => boolean {
  if (criterion === undefined) return () => true
  return isExact ? (text) => text === criterion : glob(criterion)
}

function has(values: unknown, value: string): boolean {
  return Array.isArray(values) && values.includes(value)
}
