import { severityOf } from './priority.ts'
import { isDigit, withoutSpaces } from './text.ts'

/** What names the program at the start of a message: `sshd[812]: `. */
export interface Tag {
  /** Empty if the tag has none. */
  readonly name: string
  readonly processId: string | undefined
  readonly severity: number | undefined
  /** What follows it. */
  readonly message: string
}

/** RFC 3164 allows 32 characters; names of macOS and D-Bus services are longer. */
const MAX_NAME = 128
const MAX_PROCESS_ID = 128

/**
 * A tag that is closed by `:` or has a process id in brackets, or `undefined`. Between it and the colon there may be a severity
 * (`<Notice>`, macOS).
 */
export function readTag(text: string): Tag | undefined {
  for (let at = 0; at < text.length && at <= MAX_NAME; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x20) return undefined
    if (c === 0x3a && (at + 1 === text.length || text[at + 1] === ' ')) return at === 0 ? undefined : tag(text, at, undefined, at)
    if (c === 0x5b) return readProcessId(text, at)
  }
  return undefined
}

/** At `[`: a process id, or a name that is in brackets itself (`[sshd]: `). */
function readProcessId(text: string, bracket: number): Tag | undefined {
  const end = text.slice(bracket, bracket + MAX_PROCESS_ID + 2).indexOf(']')
  if (end <= 1) return undefined
  const inside = text.slice(bracket + 1, bracket + end)
  const after = bracket + end + 1
  const isClosed = text[after] === ':' || text[after] === ' ' || after === text.length
  if (!isClosed || inside.includes(' ') || inside.includes('[')) return undefined
  if (bracket > 0) return tag(text, bracket, inside, after)
  return text[after] === ':' && !isDigit(inside.charCodeAt(0)) ? { ...tag(text, 0, undefined, after), name: inside } : undefined
}

function tag(text: string, nameEnd: number, processId: string | undefined, after: number): Tag {
  const name = text.slice(0, nameEnd)
  const marked = text.startsWith(' <', after) ? text.slice(after, after + 20).indexOf('>:') : -1
  const severity = marked < 0 ? undefined : severityOf(text.slice(after + 2, after + marked))
  const start = severity !== undefined ? after + marked + 2 : text[after] === ':' ? after + 1 : after
  return { name, processId, severity, message: withoutSpaces(text.slice(start)) }
}
