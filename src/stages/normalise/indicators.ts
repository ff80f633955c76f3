import { isIPv6 } from 'node:net'
import { domainToUnicode } from 'node:url'
import type { IndicatorField } from '../../model/event.ts'

/** Longer lists are searched through a set. */
const SHORT_LIST = 16

/** The values of one indicator field in one event, each once, in the order first seen. */
class Values {
  /** `undefined` if there are none. */
  list: string[] | undefined
  #seen: Set<string> | undefined

  /** Begins the next event; the list so far belongs to the previous one. */
  clear(): void {
    this.list = undefined
    this.#seen = undefined
  }

  add(value: string): void {
    const { list } = this
    if (list === undefined) this.list = [value]
    else if (list.length === 1) {
      // Appending would make room for more, and most events have no third value.
      if (list[0] !== value) this.list = [list[0]!, value]
    } else if (list.length < SHORT_LIST ? !list.includes(value) : this.#isNew(list, value)) list.push(value)
  }

  #isNew(list: readonly string[], value: string): boolean {
    this.#seen ??= new Set(list)
    return this.#seen.size < this.#seen.add(value).size
  }
}

/** Collects the indicators of one event at a time. One is enough for all events of a schema. */
export class Indicators implements Readonly<Record<IndicatorField, Values>> {
  readonly p_any_ip_addresses = new Values()
  readonly p_any_domain_names = new Values()
  readonly p_any_emails = new Values()
  readonly p_any_usernames = new Values()
  readonly p_any_md5_hashes = new Values()
  readonly p_any_sha1_hashes = new Values()
  readonly p_any_sha256_hashes = new Values()
  readonly p_any_aws_arns = new Values()
  readonly p_any_aws_account_ids = new Values()
  readonly p_any_aws_instance_ids = new Values()
  readonly p_any_aws_tags = new Values()
  readonly p_any_trace_ids = new Values()
}

/** Reads one value of a field and adds the indicators found in it. */
export interface Extractor {
  readonly fills: readonly IndicatorField[]
  extract(value: string, into: Indicators): void
}

/** Four decimal numbers of at most 255, without leading zeros. */
export function isIpv4(text: string): boolean {
  let dots = 0
  let value = -1
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === 0x2e) {
      if (value < 0 || ++dots > 3) return false
      value = -1
    } else {
      const digit = c - 0x30
      if (digit < 0 || digit > 9 || value === 0) return false
      value = value < 0 ? digit : value * 10 + digit
      if (value > 255) return false
    }
  }
  return dots === 3 && value >= 0
}

/** An IPv4 or IPv6 address without zone. */
export function isIp(text: string): boolean {
  return isIpv4(text) || (text.includes(':') && !text.includes('%') && isIPv6(text))
}

function ip(value: string, into: Indicators): void {
  const text = value.trim()
  if (isIp(text)) into.p_any_ip_addresses.add(text)
}

function domain(value: string, into: Indicators): void {
  const text = value.trim()
  // Many programs write `-` where there is no name.
  if (text === '' || text === '-') return
  // An invalid punycode name decodes to '', so it is kept as is.
  const isPunycode = text.includes('--') && /(^|\.)xn--/i.test(text)
  into.p_any_domain_names.add(isPunycode ? domainToUnicode(text) || text : text)
}

function hostname(value: string, into: Indicators): void {
  const text = value.trim()
  if (isIp(text)) into.p_any_ip_addresses.add(text)
  else domain(text, into)
}

/** `host:port`, `[v6]:port`, netstat's `:::22` and `0.0.0.0:*`, ss's `127.0.0.53%lo:53`, or the whole text as host. */
function netAddress(value: string, into: Indicators): void {
  const text = value.trim()
  const colon = text.lastIndexOf(':')
  if (colon < 0 && text.charCodeAt(0) !== 0x5b && text !== '*') {
    hostname(withoutZone(text), into)
    return
  }
  const head = colon < 0 ? text : text.slice(0, colon)
  const named = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? (isIp(text) ? text : head)
  const host = withoutZone(named)
  // A host with colons that is not an address is not a name either; `*` means any host.
  if (host !== '*' && (!host.includes(':') || isIp(host))) hostname(host, into)
}

/** An address without the interface that it belongs to; other texts as they are. */
function withoutZone(host: string): string {
  const zone = host.indexOf('%')
  const address = zone < 0 ? '' : host.slice(0, zone)
  return isIp(address) ? address : host
}

/** The host of an absolute URL (`scheme://user@host:port/…`); a relative one has none. */
function url(value: string, into: Indicators): void {
  const text = value.trim()
  const colon = text.indexOf('://')
  if (colon <= 0 || !isScheme(text, colon)) return
  let start = colon + 3
  let end = start
  for (; end < text.length; end++) {
    const c = text.charCodeAt(end)
    if (c === 0x2f || c === 0x3f || c === 0x23) break
    if (c === 0x40) start = end + 1
  }
  netAddress(text.slice(start, end), into)
}

/** Whether the text up to `end` is the scheme of a URL (RFC 3986, section 3.1). */
function isScheme(text: string, end: number): boolean {
  for (let at = 0; at < end; at++) {
    const c = text.charCodeAt(at)
    const isLetter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a
    if (!isLetter && (at === 0 || !((c >= 0x30 && c <= 0x39) || c === 0x2b || c === 0x2d || c === 0x2e))) return false
  }
  return true
}

function email(value: string, into: Indicators): void {
  const text = value.trim()
  if (text.includes('@')) into.p_any_emails.add(text)
}

function hash(field: IndicatorField, length: number): Extractor {
  const pattern = new RegExp(`^[0-9a-f]{${length}}$`)
  return {
    fills: [field],
    extract(value, into) {
      const text = value.trim().toLowerCase()
      if (text.length === length && pattern.test(text)) into[field].add(text)
    },
  }
}

function awsArn(value: string, into: Indicators): void {
  const text = value.trim()
  if (!text.startsWith('arn:')) return
  into.p_any_aws_arns.add(text)
  // arn:partition:service:region:account:resource
  const service = text.indexOf(':', 4) + 1
  const region = service === 0 ? 0 : text.indexOf(':', service) + 1
  const account = region === 0 ? 0 : text.indexOf(':', region) + 1
  if (account === 0) return
  const end = text.indexOf(':', account)
  awsAccount(text.slice(account, end < 0 ? text.length : end), into)
  if (end < 0) return
  const resource = end + 1
  if (text.startsWith('instance/', resource)) awsInstance(text.slice(resource + 'instance/'.length), into)
  const session = text.startsWith('sts:', service) ? /^assumed-role\/[^/]+\/(.+)$/.exec(text.slice(resource))?.[1] : undefined
  if (session) email(session, into)
}

function awsAccount(value: string, into: Indicators): void {
  if (value.length !== 12) return
  for (let at = 0; at < 12; at++) if ((value.charCodeAt(at) - 0x30) >>> 0 > 9) return
  into.p_any_aws_account_ids.add(value)
}

function awsInstance(value: string, into: Indicators): void {
  if (value.startsWith('i-')) into.p_any_aws_instance_ids.add(value)
}

function asIs(field: IndicatorField): Extractor {
  return { fills: [field], extract: (value, into) => value !== '' && value !== '-' && into[field].add(value) }
}

const HOST_FIELDS = ['p_any_ip_addresses', 'p_any_domain_names'] as const

/** Every indicator that a schema can use. */
export const extractors = {
  ip: { fills: ['p_any_ip_addresses'], extract: ip },
  domain: { fills: ['p_any_domain_names'], extract: domain },
  hostname: { fills: HOST_FIELDS, extract: hostname },
  url: { fills: HOST_FIELDS, extract: url },
  net_addr: { fills: HOST_FIELDS, extract: netAddress },
  email: { fills: ['p_any_emails'], extract: email },
  username: asIs('p_any_usernames'),
  md5: hash('p_any_md5_hashes', 32),
  sha1: hash('p_any_sha1_hashes', 40),
  sha256: hash('p_any_sha256_hashes', 64),
  aws_arn: { fills: ['p_any_aws_arns', 'p_any_aws_account_ids', 'p_any_aws_instance_ids', 'p_any_emails'], extract: awsArn },
  aws_arn_only: {
    fills: ['p_any_aws_arns'],
    extract: (value: string, into: Indicators) => value.trim().startsWith('arn:') && into.p_any_aws_arns.add(value.trim()),
  },
  aws_account_id: {
    fills: ['p_any_aws_account_ids'],
    extract: (value: string, into: Indicators) => awsAccount(value.trim(), into),
  },
  aws_instance_id: {
    fills: ['p_any_aws_instance_ids'],
    extract: (value: string, into: Indicators) => awsInstance(value.trim(), into),
  },
  aws_tag: asIs('p_any_aws_tags'),
  trace_id: asIs('p_any_trace_ids'),
} as const satisfies Readonly<Record<string, Extractor>>

export type IndicatorName = keyof typeof extractors

export const indicatorNames = Object.keys(extractors) as [IndicatorName, ...IndicatorName[]]
