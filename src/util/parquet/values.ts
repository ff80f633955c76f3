import type { ParquetParsers } from 'hyparquet'
import type { JsonValue } from '../../model/json.ts'
import { parseJson } from '../json.ts'

/** How values of rich types become JSON: times as ISO 8601 in their own precision. */
export const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (ms) => timeOf(BigInt(ms), 3),
  timestampFromMicroseconds: (us) => timeOf(BigInt(us), 6),
  timestampFromNanoseconds: (ns) => timeOf(BigInt(ns), 9),
  dateFromDays: (days) => (days === undefined ? undefined : new Date(days * 86_400_000).toISOString().slice(0, 10)),
  jsonFromBytes(bytes) {
    const text = bytes && Buffer.from(bytes).toString()
    const read = text === undefined ? undefined : parseJson(text, { maxDepth: 32 })
    return read?.kind === 'ok' ? read.value : text
  },
  geometryFromBytes: (bytes) => bytes,
  geographyFromBytes: (bytes) => bytes,
}

/** Ticks since 1970 as ISO 8601 in UTC with this many digits of a second. */
export function timeOf(ticks: bigint, digits: 3 | 6 | 9): string {
  const perSecond = 10n ** BigInt(digits)
  const fraction = ((ticks % perSecond) + perSecond) % perSecond
  const seconds = new Date(Number((ticks - fraction) / perSecond) * 1000).toISOString()
  return `${seconds.replace(/\.000Z$/, '')}.${fraction.toString().padStart(digits, '0')}Z`
}

/** A decoded value as JSON: integers that fit a number are one, bytes that are not UTF-8 become Base64. */
export function jsonOf(value: unknown): JsonValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return integerOf(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value instanceof Uint8Array) return textOf(value)
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as unknown[], jsonOf)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, jsonOf(member)]))
}

/** A number if that is exact. */
export function integerOf(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const strict = new TextDecoder('utf-8', { fatal: true })

/** Text, or Base64 of what is not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return Buffer.from(bytes).toString('base64')
  }
}

/** Digits that a number represents exactly. */
const EXACT_DIGITS = 15

/** A decimal from its digits without the point: a number if that is exact, otherwise text. */
export function decimalOf(value: unknown, scale: number): JsonValue {
  const unscaled =
    value instanceof Uint8Array
      ? signed(value)
      : typeof value === 'number' || typeof value === 'bigint'
        ? BigInt(value)
        : undefined
  if (unscaled === undefined) return null
  if (scale === 0) return integerOf(unscaled)
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return digits.length <= EXACT_DIGITS ? Number(text) : text
}

/** A big-endian integer in two's complement. */
function signed(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
}
