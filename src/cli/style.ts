import { printable } from '../util/terminal.ts'
import type { Io } from './io.ts'

/** SGR codes of a severity, so that urgent alerts stand out. */
const SEVERITY_CODES: Readonly<Record<string, string>> = { CRITICAL: '1;31', HIGH: '31', MEDIUM: '33', LOW: '36', INFO: '2' }

/** Untrusted text, made safe, in a severity's colour. */
export function severityText(io: Io, severity: string, text = severity): string {
  return coloured(io, SEVERITY_CODES[severity], text)
}

/** Untrusted text, made safe, in bold. */
export function bold(io: Io, text: string): string {
  return coloured(io, '1', text)
}

/** Untrusted text, made safe, in a faint colour. */
export function faint(io: Io, text: string): string {
  return coloured(io, '2', text)
}

function coloured({ hasColours }: Io, code: string | undefined, text: string): string {
  const safe = printable(text)
  return hasColours && code ? `\u001b[${code}m${safe}\u001b[0m` : safe
}

/** `1174` → `1,174`. */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** `1 rule`, `2 rules`. */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`
}

/** A number of bytes for people: `7 KiB`, `1.2 MiB`, `3.4 GiB`. */
export function size(bytes: number): string {
  if (bytes < 1024 ** 2) return `${count(Math.ceil(bytes / 1024))} KiB`
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}

/** A time span for people: `35 ms`, `2.1 s`, `4 min`, `3 h`, `12 d`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 90_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`
  return `${count(Math.round(ms / 86_400_000))} d`
}

/** How far in the future an RFC 3339 time is: `in 4 min`, or `now` if it has passed. */
export function until(time: string): string {
  const ms = Date.parse(time) - Date.now()
  return ms <= 0 ? 'now' : `in ${span(ms)}`
}

/** A past time for people: `4 min ago`. */
export function ago(time: string): string {
  return `${span(Math.max(0, Date.now() - Date.parse(time)))} ago`
}
