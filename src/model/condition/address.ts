import { type IpPrefix, maskWord, parseIp, parsePrefix } from '../ip.ts'
import type { AddressKind } from './condition.ts'
import { unknown } from './values.ts'

/**
 * Networks that the IANA special-purpose address registries (RFC 6890 and its updates) list as not globally reachable, as in
 * Python's `ipaddress.is_private`. Those in `EXCEPTIONS` are reachable nevertheless.
 */
const PRIVATE = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '::/127',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  'fc00::/7',
  'fe80::/10',
].map(network)

const EXCEPTIONS = [
  '192.0.0.9/32',
  '192.0.0.10/32',
  '2001:1::1/128',
  '2001:1::2/128',
  '2001:3::/32',
  '2001:4:112::/48',
  '2001:20::/28',
  '2001:30::/28',
].map(network)

/** Shared address space of carriers (RFC 6598) is neither private nor public. */
const SHARED = [network('100.64.0.0/10')]

const words = new Uint32Array(4)

/** Whether a text is an IP address of a kind. An IPv4-mapped IPv6 address counts as the IPv4 address. */
export function addressTest(kind: AddressKind): (text: string) => boolean {
  switch (kind) {
    case 'any':
      return (text) => parseIp(text, words) !== 0
    case 'v4':
      return (text) => parseIp(text, words) === 4
    case 'v6':
      return (text) => parseIp(text, words) === 6
    case 'private':
      return (text) => isPrivate(parseIp(text, words))
    case 'public':
      return (text) => {
        const family = parseIp(text, words)
        return family !== 0 && !isPrivate(family) && !SHARED.some((shared) => isWithin(family, shared))
      }
    default:
      return unknown(kind)
  }
}

/** Whether a text is an IP address within one of the networks. Invalid networks contain nothing. */
export function networkTest(networks: readonly string[]): (text: string) => boolean {
  const prefixes = networks.flatMap((text) => parsePrefix(text) ?? [])
  return (text) => {
    const family = parseIp(text, words)
    return family !== 0 && prefixes.some((prefix) => isWithin(family, prefix))
  }
}

function isPrivate(family: number): boolean {
  return PRIVATE.some((prefix) => isWithin(family, prefix)) && !EXCEPTIONS.some((prefix) => isWithin(family, prefix))
}

/** Whether the address in `words` is within the network. */
function isWithin(family: number, prefix: IpPrefix): boolean {
  if (family !== prefix.family) return false
  return prefix.words.every((word, at) => (words[at]! & maskWord(prefix.bits - at * 32)) >>> 0 === word)
}

function network(text: string): IpPrefix {
  const prefix = parsePrefix(text)
  if (!prefix) throw new Error(`${text} is not a network: this is a bug`)
  return prefix
}
