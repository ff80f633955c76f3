import { domainToUnicode } from 'node:url'
import type { IndicatorField } from '../../model/event.ts'
import { addressNumber } from '../../model/ip-range.ts'
import { addressText } from '../../model/ip-text.ts'
import { ApiError } from '../errors.ts'

/** The kinds of indicators that a timeline can be asked for. */
export const KINDS = ['ip', 'domain', 'host', 'user', 'email', 'hash', 'arn', 'account', 'instance', 'tag', 'trace'] as const
export type Kind = (typeof KINDS)[number]

/** What to look for in one indicator field. */
export interface Term {
  readonly field: IndicatorField
  /** `exact`: the text itself; `folded`: in any case; `address`: an address in any spelling. */
  readonly match: 'exact' | 'folded' | 'address'
  /** Any of these. For `folded` in lower case, for `address` in the usual spelling. */
  readonly texts: readonly string[]
}

const HASHES: Readonly<Record<number, IndicatorField>> = {
  32: 'p_any_md5_hashes',
  40: 'p_any_sha1_hashes',
  64: 'p_any_sha256_hashes',
}

/** The fields that may contain the indicator, and how it is spelled there. Throws `ApiError` if it cannot be of the kind. */
export function termsOf(given: string, kind: Kind | undefined): Term[] {
  const text = given.trim()
  const kinds = kind === undefined ? kindsOf(text) : [kind]
  const terms = kinds.flatMap((one) => OF_KIND[one](text))
  if (terms.length > 0) return terms
  throw new ApiError(400, 'bad_request', `'${text}' cannot be ${EXPECTED[kinds[0]!] ?? 'an indicator'}`)
}

/** The kinds that the look of an indicator leaves possible. */
function kindsOf(text: string): Kind[] {
  if (addressNumber(text)) return ['ip']
  if (isHash(text)) return ['hash', 'trace']
  if (text.startsWith('arn:')) return ['arn']
  if (text.includes('@')) return ['email', 'user']
  if (/^\d{12}$/.test(text)) return ['account', 'user']
  if (/^i-[0-9a-f]{8,17}$/.test(text)) return ['instance', 'host']
  return ['domain', 'user']
}

const OF_KIND: Readonly<Record<Kind, (text: string) => Term[]>> = {
  ip: address,
  domain,
  host: (text) => (addressNumber(text) ? address(text) : domain(text)),
  // Many logs write a user as an address.
  user: (text) => [...folded('p_any_usernames', text), ...folded('p_any_emails', text)],
  email: (text) => folded('p_any_emails', text),
  hash: (text) => (isHash(text) ? exact(HASHES[text.length]!, text.toLowerCase()) : []),
  arn: (text) => (text.startsWith('arn:') ? exact('p_any_aws_arns', text) : []),
  account: (text) => (/^\d{12}$/.test(text) ? exact('p_any_aws_account_ids', text) : []),
  instance: (text) => (text.startsWith('i-') ? exact('p_any_aws_instance_ids', text) : []),
  tag: (text) => exact('p_any_aws_tags', text),
  trace: (text) => exact('p_any_trace_ids', text),
}

const EXPECTED: Partial<Record<Kind, string>> = {
  ip: 'an address: for a network, query the lake with SQL',
  hash: 'a hash: 32 (MD5), 40 (SHA-1) or 64 (SHA-256) hexadecimal digits',
  arn: "an ARN: it would begin with 'arn:'",
  account: 'an AWS account: its id has 12 digits',
  instance: "an AWS instance: its id would begin with 'i-'",
}

function address(text: string): Term[] {
  const number = addressNumber(text)
  return number ? [{ field: 'p_any_ip_addresses', match: 'address', texts: [addressText(number.family, number.value)] }] : []
}

/** Names are stored in Unicode, and as logs write them: with or without the dot at the end. */
function domain(text: string): Term[] {
  const name = text.replace(/\.$/, '')
  const shown = /(^|\.)xn--/i.test(name) ? domainToUnicode(name) || name : name
  return folded('p_any_domain_names', shown).map((term) => ({ ...term, texts: term.texts.flatMap((one) => [one, `${one}.`]) }))
}

function folded(field: IndicatorField, text: string): Term[] {
  return text === '' ? [] : [{ field, match: 'folded', texts: [text.toLowerCase()] }]
}

function exact(field: IndicatorField, text: string): Term[] {
  return text === '' ? [] : [{ field, match: 'exact', texts: [text] }]
}

function isHash(text: string): boolean {
  return HASHES[text.length] !== undefined && /^[0-9a-f]+$/i.test(text)
}
