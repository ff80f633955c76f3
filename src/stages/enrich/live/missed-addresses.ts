import type { IpFamily } from '../../../model/ip.ts'
import type { Clock } from '../../../util/clock.ts'
import type { AddressBatch } from '../tables/address-batch.ts'
import { isPublic, spelling } from './public-address.ts'

/** Addresses that occur in events and are missing from a live table. */
export interface Missed {
  readonly table: string
  readonly addresses: readonly string[]
  /** Number of further ones for which there was no room. */
  readonly passedOver: number
}

/** Notes the addresses of a batch that have no row. */
export type NoteMisses = (batch: AddressBatch, rows: Int32Array) => void

/** Interval at which addresses are handed over. */
const REPORT_MS = 500
/** Addresses noted for a table between two reports. */
const MAX_NOTED = 10_000
/** Recently noted addresses of a table: a power of two. */
const RECENT = 0x8000
/** An address that keeps occurring is reported again this often. */
const AGAIN_MS = 60_000

/**
 * Collects the addresses that live tables miss while events are enriched, and hands them over in the background: a few nanoseconds for one
 * that was noted lately, and never any waiting. Private and reserved addresses are left out.
 */
export class MissedAddresses {
  readonly #report: (missed: readonly Missed[]) => Promise<void>
  readonly #clock: Clock
  readonly #tables = new Map<string, Noted>()
  #isReporting = false

  /** `report`: not called again before its promise has settled. */
  constructor(report: (missed: readonly Missed[]) => Promise<void>, clock: Clock) {
    this.#report = report
    this.#clock = clock
  }

  of(table: string): NoteMisses {
    const noted = this.#tables.get(table) ?? new Noted()
    this.#tables.set(table, noted)
    return (batch, rows) => {
      const nowMs = this.#clock.now()
      for (let i = 0; i < batch.size; i++) if (rows[i]! < 0) noted.note(batch, i, nowMs)
      if (noted.hasAny && !this.#isReporting) this.#reportLater()
    }
  }

  #reportLater(): void {
    this.#isReporting = true
    this.#clock.after(REPORT_MS, () => void this.#send())
  }

  async #send(): Promise<void> {
    const missed = [...this.#tables].flatMap(([table, noted]) => noted.take(table) ?? [])
    // What could not be handed over is noted again when it occurs again.
    await this.#report(missed).catch(() => {})
    this.#isReporting = false
    if ([...this.#tables.values()].some((noted) => noted.hasAny)) this.#reportLater()
  }
}

/** What one table has missed since the last report. */
class Noted {
  /** Recently noted addresses by hash: four words each, the family, and when. A collision only has an address reported again. */
  readonly #words = new Uint32Array(RECENT * 4)
  readonly #families = new Uint8Array(RECENT)
  readonly #when = new Float64Array(RECENT)
  #addresses = new Set<string>()
  #passedOver = 0

  get hasAny(): boolean {
    return this.#addresses.size + this.#passedOver > 0
  }

  note({ families, words }: AddressBatch, index: number, nowMs: number): void {
    const family = families[index] as IpFamily
    const at = index * 4
    if (family === 0 || !isPublic(family, words, at)) return
    const length = family === 4 ? 1 : 4
    const slot = hashOf(words, at, length) & (RECENT - 1)
    if (this.#isAt(slot, family, words, at, length) && nowMs - this.#when[slot]! < AGAIN_MS) return
    if (this.#addresses.size >= MAX_NOTED) {
      this.#passedOver++
      return
    }
    for (let i = 0; i < length; i++) this.#words[slot * 4 + i] = words[at + i]!
    this.#families[slot] = family
    this.#when[slot] = nowMs
    this.#addresses.add(spelling(family, words, at))
  }

  take(table: string): Missed | undefined {
    if (!this.hasAny) return undefined
    const missed = { table, addresses: [...this.#addresses], passedOver: this.#passedOver }
    this.#addresses = new Set()
    this.#passedOver = 0
    return missed
  }

  #isAt(slot: number, family: IpFamily, words: Uint32Array, at: number, length: number): boolean {
    if (this.#families[slot] !== family) return false
    for (let i = 0; i < length; i++) if (this.#words[slot * 4 + i] !== words[at + i]) return false
    return true
  }
}

function hashOf(words: Uint32Array, at: number, length: number): number {
  let hash = 0
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ words[at + i]!, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}
