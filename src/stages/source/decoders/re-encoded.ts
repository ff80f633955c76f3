import type { Hints, HintsFrom } from '../../../model/chunk.ts'
import type { DecodedBody } from './decoder.ts'

const NEWLINE = Buffer.from('\n')

/** Collects the records of a body whose format is not text. */
export class ReEncoded {
  readonly #parts: Uint8Array[] = []
  readonly #records: number[] = []
  readonly #hints: HintsFrom[] = []
  #size = 0

  /** Blank texts are not records. */
  add(record: string | Uint8Array, hints: Hints): void {
    const text = typeof record === 'string' ? Buffer.from(record) : record
    if (text.every((byte) => byte <= 0x20)) return
    this.#hints.push({ from: this.#size, hints })
    this.#records.push(this.#size, this.#size + text.length)
    this.#parts.push(text, NEWLINE)
    this.#size += text.length + 1
  }

  done(): DecodedBody {
    const records = Uint32Array.from(this.#records)
    return { bytes: Buffer.concat(this.#parts), records, count: records.length / 2, hints: this.#hints }
  }
}

/** A log type if a sender's name for the kind of a record is one, `Nginx.Access`. */
export function logTypeOf(name: unknown): string | undefined {
  return typeof name === 'string' && /^[A-Z][A-Za-z0-9]*(?:\.[A-Z][A-Za-z0-9]*)+$/.test(name) && name.length <= 100
    ? name
    : undefined
}

/** Nanoseconds since 1970 as RFC 3339 UTC; `undefined` for zero and for what is beyond the year 9999. */
export function timeOfNanos(nanos: bigint): string | undefined {
  const secs = nanos / 1_000_000_000n
  if (nanos <= 0n || secs > 253_402_300_799n) return undefined
  const fraction = String(nanos % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const whole = new Date(Number(secs) * 1000).toISOString().slice(0, 19)
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`
}

/** Decimal seconds since 1970, `1426279439.123`, as RFC 3339 UTC. */
export function timeOfSeconds(text: string): string | undefined {
  const [, secs, fraction = ''] = /^"?(\d{1,12})(?:\.(\d{1,30}))?"?$/.exec(text.trim()) ?? []
  return secs === undefined ? undefined : timeOfNanos(BigInt(secs) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0')))
}
