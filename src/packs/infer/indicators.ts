import { type IndicatorName, isIp } from '../../stages/normalise/indicators.ts'
import { words } from './times.ts'

/** Longer values indicate nothing. */
const MAX_CHARS = 2048

const HOST = /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,20}\.?$/i
/** A name with a dot whose last part is not a number. */
const DOMAIN = /^(?:[a-z0-9_-]{1,63}\.){1,20}[a-z][a-z0-9-]{1,62}\.?$/i
const EMAIL = /^[^\s@"<>]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,10}$/i
const USER = /^[^\t\n\r"'<>{}[\],;=/]{1,64}$/

function hex(length: number): (text: string) => boolean {
  return (text) => text.length === length && /^[0-9a-f]+$/i.test(text)
}

function isNetAddress(text: string): boolean {
  const colon = text.lastIndexOf(':')
  if (colon < 1 || isIp(text) || !/^(?:\d{1,5}|\*)$/.test(text.slice(colon + 1))) return false
  const host = text.slice(0, colon)
  return isIp(host.replace(/^\[|\]$/g, '')) || host === '*' || HOST.test(host)
}

interface Guess {
  readonly indicator: IndicatorName
  /** What every value must be. */
  readonly fits: (text: string) => boolean
  /** What the end of the name must be: its last word, its last two, or all of them, joined. Absent: any name. */
  readonly names?: RegExp
}

const HASHES = /^(?:.*hash(?:es)?|checksum|digest|fingerprint|.*md5|.*sha1|.*sha256|ja3s?|sha)$/
const HOSTS = /^(?:.*host|.*hostname|computer|computername|server|servername|machine|node|workstation|device|devicename)$/
const DOMAINS = /^(?:.*domain|fqdn|query|rrname|qname|sni|site|.*host|.*hostname|servername|dns)$/
const USERS = /^(?:.*user|.*username|login|logname|acct|account|accountname|actor|principal|owner)$/
const TRACES = /^(?:trace|.*traceid|.*requestid|.*correlationid)$/

/** What values may indicate, surer ones first; the first that fits is taken. */
const GUESSES: readonly Guess[] = [
  { indicator: 'ip', fits: isIp },
  { indicator: 'aws_arn', fits: (text) => text.startsWith('arn:') && text.split(':').length >= 6 },
  { indicator: 'aws_instance_id', fits: (text) => /^i-[0-9a-f]{8,17}$/.test(text) },
  { indicator: 'aws_account_id', fits: (text) => /^\d{12}$/.test(text), names: /account/ },
  { indicator: 'url', fits: (text) => /^[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/]/i.test(text) },
  { indicator: 'email', fits: (text) => EMAIL.test(text) },
  { indicator: 'md5', fits: hex(32), names: HASHES },
  { indicator: 'sha1', fits: hex(40), names: HASHES },
  { indicator: 'sha256', fits: hex(64), names: HASHES },
  { indicator: 'net_addr', fits: isNetAddress },
  { indicator: 'trace_id', fits: (text) => /^[\w-]{8,128}$/.test(text), names: TRACES },
  { indicator: 'domain', fits: (text) => DOMAIN.test(text), names: DOMAINS },
  { indicator: 'hostname', fits: (text) => isIp(text) || HOST.test(text), names: HOSTS },
]

/** Where there is no value, many programs write one of these. */
const NO_VALUE = new Set(['', '-'])

/** The indicators that fit every text of a field. */
export class IndicatorGuesses {
  #fitting: readonly Guess[] = GUESSES
  #areUsers = true
  #count = 0

  add(text: string): void {
    if (NO_VALUE.has(text)) return
    this.#count++
    if (text.length > MAX_CHARS) {
      this.#fitting = []
      this.#areUsers = false
      return
    }
    if (this.#fitting.length > 0) this.#fitting = this.#fitting.filter(({ fits }) => fits(text))
    this.#areUsers &&= USER.test(text)
  }

  /** For a field of this name. */
  of(name: string): IndicatorName[] {
    if (this.#count === 0) return []
    const parts = words(name)
    const ends = [parts.slice(-1), parts.slice(-2), parts].map((some) => some.join(''))
    const isNamed = (names: RegExp) => ends.some((end) => names.test(end))
    const fitting = this.#fitting.find(({ names }) => !names || isNamed(names))?.indicator
    // What is called a host may also be a name in the next record.
    const found = fitting === 'ip' && isNamed(HOSTS) ? 'hostname' : fitting
    const isUser = (found === undefined || found === 'email') && this.#areUsers && isNamed(USERS)
    return [...(found ? [found] : []), ...(isUser ? (['username'] as const) : [])]
  }
}
