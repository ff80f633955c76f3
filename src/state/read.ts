import type { StoredAlert } from '../model/alert.ts'
import type { AlertCounts, AlertFilter, AlertPage, AlertPlace } from '../model/alert-filter.ts'
import type { TimelineEntry } from '../model/alert-work.ts'
import type { PastGeneration } from '../model/content-history.ts'
import type { DeliveryFilter, DeliveryPlace, ListedDelivery } from '../model/delivery-list.ts'
import type { Evidence } from '../model/evidence.ts'
import type { Mute } from '../model/mute.ts'
import type { DeliveryKind } from '../model/outgoing-alert.ts'
import type { EntityRef, RiskEntity } from '../model/risk.ts'
import { countAlerts } from './alert-counts.ts'
import { alertPage } from './alert-list.ts'
import { timelineOf } from './alert-timeline.ts'
import { findAlert, storedAlert } from './alerts.ts'
import {
  contentTexts,
  type FileHistory,
  filesAt,
  historyOfFiles,
  type PresentFile,
  pastGeneration,
  pastGenerations,
} from './content-history.ts'
import type { StateDb } from './db.ts'
import { deliveriesOfAlert } from './deliveries.ts'
import { listDeliveries } from './delivery-list.ts'
import { evidenceOfAlert } from './evidence.ts'
import { type LimitCount, limitCounts } from './limits.ts'
import { findMute, listMutes, type MutePage } from './mutes.ts'
import { readRisk } from './risk.ts'
import { type FoundRisk, listRisk, type RiskPage } from './risk-list.ts'
import { type AlertQuality, alertQualities, type RuleAlerts, ruleAlerts } from './rule-alerts.ts'

/** One alert on its way to one destination. */
export interface StoredDelivery {
  readonly deliveryId: string
  readonly destination: string
  /** Why it is sent. */
  readonly kind: DeliveryKind
  readonly state: 'pending' | 'delivered' | 'dead'
  readonly tries: number
  /** Epoch ms; only meaningful while pending. */
  readonly nextMs: number
  /** Of the last failed attempt. */
  readonly error: string | null
}

/** The queries that the API and CLI can make. Each method rejects with `StorageError` if the disk cannot be read. */
export interface StateReader {
  /** A page of opened alerts, newest first; it may be shorter than `limit` although there are more. */
  alerts(filter: AlertFilter, page: { readonly limit: number; readonly before?: AlertPlace }): Promise<AlertPage>
  /** How many opened alerts meet a filter, by severity, status, rule and owner. */
  alertCounts(filter: AlertFilter): Promise<AlertCounts>
  /** The alert with this id or unique prefix; `undefined` if none or several match. */
  alert(idPrefix: string): Promise<StoredAlert | undefined>
  /** The first matches of an alert as they were decided, in order. */
  evidence(alertId: string): Promise<readonly Evidence[]>
  deliveries(alertId: string): Promise<readonly StoredDelivery[]>
  /** The newest deliveries of all alerts, or the newest before a place. */
  listDeliveries(filter: DeliveryFilter, limit: number, before?: DeliveryPlace): Promise<readonly ListedDelivery[]>
  /** What happened to an alert after the entry with the id `after`, oldest first. */
  timeline(
    alertId: string,
    page: { readonly after?: number | undefined; readonly limit: number },
  ): Promise<readonly TimelineEntry[]>
  mutes(ask: MutePage): Promise<readonly Mute[]>
  /** The mute with this id or unique prefix; `undefined` if none or several match. */
  mute(idPrefix: string): Promise<Mute | undefined>
  /** A page of entities, by risk. */
  risk(page: RiskPage): Promise<FoundRisk>
  /** Those of these entities that have risk. */
  riskOf(refs: readonly EntityRef[]): Promise<readonly RiskEntity[]>
  /** True if any of these alerts still has to be sent to any of these destinations. */
  isPending(alertIds: readonly string[], destinations: readonly string[]): Promise<boolean>
  /** The limits that rules reached, by rule. */
  limits(): Promise<readonly LimitCount[]>
  /** A rule's opened alerts since a time (epoch ms), in numbers. */
  ruleAlerts(ruleId: string, sinceMs: number): Promise<RuleAlerts>
  /** Opened alerts since a time (epoch ms), by rule. */
  alertQualities(sinceMs: number): Promise<readonly AlertQuality[]>
  /** Past and current content, newest first; those with lower numbers than `before`. */
  generations(limit: number, before?: number): Promise<readonly PastGeneration[]>
  /** The generation with this number, hash or hash prefix; by default the latest. `undefined` if it never existed or has been deleted. */
  generation(name: string | undefined): Promise<PastGeneration | undefined>
  /** The files of a generation, by its hash; `undefined` if it is no longer stored. */
  filesAt(generation: string): Promise<readonly PresentFile[] | undefined>
  /** What is stored of the history of some files of a content root. */
  historyOfFiles(root: string, paths: readonly string[]): Promise<FileHistory>
  /** Texts of content files by hash, without those that are not stored. */
  contentTexts(hashes: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
}

export function stateReader(db: StateDb): StateReader {
  return {
    alerts: (filter, page) => alertPage(db, filter, page),
    alertCounts: (filter) => countAlerts(db, filter),
    mutes: (ask) => listMutes(db, ask),
    mute: (idPrefix) => findMute(db, idPrefix),
    risk: (page) => listRisk(db, page),
    riskOf: (refs) => readRisk(db, refs),
    timeline: (alertId, page) => timelineOf(db, alertId, page),
    async alert(idPrefix) {
      const row = await findAlert(db, idPrefix)
      return row && storedAlert(row)
    },
    evidence: (alertId) => evidenceOfAlert(db, alertId),
    deliveries: async (alertId) =>
      (await deliveriesOfAlert(db, alertId)).map((row) => ({
        deliveryId: row.delivery_id,
        destination: row.destination,
        kind: row.kind as DeliveryKind,
        state: row.state as StoredDelivery['state'],
        tries: row.tries,
        nextMs: row.next_ms,
        error: row.error === '' ? null : String(JSON.parse(row.error)),
      })),
    listDeliveries: (filter, limit, before) => listDeliveries(db, filter, limit, before),
    async isPending(alertIds, destinations) {
      if (alertIds.length === 0 || destinations.length === 0) return false
      const pending = await db
        .selectFrom('deliveries')
        .select('delivery_id')
        .where('alert_id', 'in', alertIds)
        .where('destination', 'in', destinations)
        .where('state', '=', 'pending')
        .executeTakeFirst()
      return pending !== undefined
    },
    limits: () => limitCounts(db),
    ruleAlerts: (ruleId, sinceMs) => ruleAlerts(db, ruleId, sinceMs),
    alertQualities: (sinceMs) => alertQualities(db, sinceMs),
    generations: (limit, before) => pastGenerations(db, limit, before),
    generation: async (name) => (name === undefined ? (await pastGenerations(db, 1))[0] : pastGeneration(db, name)),
    filesAt: (generation) => filesAt(db, generation),
    historyOfFiles: (root, paths) => historyOfFiles(db, root, paths),
    contentTexts: (hashes) => contentTexts(db, hashes),
  }
}
