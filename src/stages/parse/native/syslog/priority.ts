import { isDigit } from './text.ts'

/** Facility 23, severity 7 (RFC 5424, section 6.2.1). */
const MAX_PRIORITY = 191

/** Severities by the names that syslog daemons write, in RFC 5424's order. */
const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug']
const SYNONYMS: Readonly<Record<string, number>> = { panic: 0, emergency: 0, critical: 2, error: 3, warn: 4, informational: 6 }

/** The number of a severity's name in any case, or `undefined`. */
export function severityOf(name: string): number | undefined {
  const lower = name.toLowerCase()
  const at = SEVERITIES.indexOf(lower)
  if (at >= 0) return at
  return Object.hasOwn(SYNONYMS, lower) ? SYNONYMS[lower] : undefined
}

/** `<34>` at the start of a text: its number, and the index after it. */
export function readPriority(text: string): { readonly value: number; readonly end: number } | undefined {
  if (text.charCodeAt(0) !== 0x3c) return undefined
  let value = 0
  let at = 1
  for (; at <= 3 && isDigit(text.charCodeAt(at)); at++) value = value * 10 + text.charCodeAt(at) - 0x30
  return at > 1 && text.charCodeAt(at) === 0x3e && value <= MAX_PRIORITY ? { value, end: at + 1 } : undefined
}
