import { type LookupAddress, lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { HttpError } from './send.ts'

/** True if requests to the address are permitted. */
export type AddressRule = (address: string) => boolean

/** Permits public addresses and those in the given ranges (`10.0.0.0/8`, `fd00::/8`, or a single address). */
export function publicOr(ranges: readonly string[]): AddressRule {
  const allowed = ranges.map(rangeOf)
  return (text) => {
    const address = bare(text)
    return isPublic(address) || allowed.some(([net, bits]) => net.kind() === address.kind() && address.match(net, bits))
  }
}

/** Recognises the addresses in these ranges; a text that is not an address is in none. */
export function inRanges(ranges: readonly string[]): (text: string) => boolean {
  const all = ranges.map(rangeOf)
  return (text) => {
    if (all.length === 0 || isIP(text.replace(/%.*$/, '')) === 0) return false
    const address = bare(text)
    return all.some(([net, bits]) => net.kind() === address.kind() && address.match(net, bits))
  }
}

/** Parses a range from the configuration. Throws if it is invalid. */
export function rangeOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [base = ''] = text.split('/')
  // The parser itself would accept `10.0` as an address.
  if (isIP(base) === 0) throw new Error(`'${text}' is not an address or a range`)
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = bare(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

const NAT64 = ipaddr.parseCIDR('64:ff9b::/96')
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3')

/** An IPv6 address that contains an IPv4 address (`::ffff:10.0.0.1`, `64:ff9b::a00:1`) is treated as that IPv4 address. */
function bare(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const address = ipaddr.process(text.replace(/%.*$/, ''))
  const isNat64 = address.kind() === 'ipv6' && address.match(NAT64)
  return isNat64 ? ipaddr.fromByteArray(address.toByteArray().slice(12)) : address
}

/** False for loopback, private, link-local (cloud metadata), carrier-grade NAT, multicast, tunnel and reserved ranges. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(GLOBAL_IPV6))
}

export function privateAddress(host: string): HttpError {
  return new HttpError(
    'private_address',
    `${host} is a private address, which content cannot reach: allow it with http.allow_private in the configuration`,
  )
}

/**
 * Name resolution that yields only permitted addresses. The connection is made to exactly these, so a name that resolves to something
 * else a moment later (DNS rebinding) makes no difference.
 */
export function guardedLookup(isAllowed: AddressRule, resolve: typeof lookup = lookup): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, found: readonly LookupAddress[]) => {
      if (error) return callback(error, '')
      const permitted = found.filter(({ address }) => isAllowed(address))
      const [first] = permitted
      if (!first) return callback(privateAddress(host), '')
      if (options.all) callback(null, permitted as LookupAddress[])
      else callback(null, first.address, first.family)
    })
  }
}

/** The same check for a host that is an address already and so is never resolved. */
export function isRefusedLiteral(host: string, isAllowed: AddressRule): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  return isIP(address) !== 0 && !isAllowed(address)
}
