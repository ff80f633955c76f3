import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { rangeOf } from './addresses.ts'

export interface ProxySettings {
  /** URL of the proxy for https addresses, optionally with user and password. */
  readonly https?: string | undefined
  readonly http?: string | undefined
  /** Hosts that are reached without a proxy, as in NO_PROXY: see `isDirect`. */
  readonly except: readonly string[]
}

/** The proxy for a URL; `undefined` for a direct connection. This machine itself is always reached directly. */
export function proxyFor(url: URL, { https, http, except }: ProxySettings): string | undefined {
  const proxy = url.protocol === 'https:' ? https : http
  return proxy === undefined || isThisMachine(hostOf(url)) || except.some((entry) => isDirect(url, entry)) ? undefined : proxy
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

function isThisMachine(host: string): boolean {
  return /^(.+\.)?localhost$/.test(host) || /^127\./.test(host) || host === '::1'
}

/**
 * Checks one entry of NO_PROXY: `*`, a name including its subdomains (`example.com`, `.example.com`, `*.example.com`), an address, or a
 * range (`10.0.0.0/8`). Names and addresses may have a port.
 */
function isDirect(url: URL, entry: string): boolean {
  const text = entry.trim().toLowerCase()
  if (text === '*') return true
  if (text === '') return false
  const host = hostOf(url)
  if (text.includes('/')) return isIP(host) !== 0 && isInRange(host, text)
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(text) ?? []
  if (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80'))) return false
  const plain = name.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 || isIP(plain) !== 0) return host === plain
  const suffix = plain.replace(/^\*?\./, '')
  return host === suffix || host.endsWith(`.${suffix}`)
}

function isInRange(host: string, range: string): boolean {
  try {
    const [net, bits] = rangeOf(range)
    const address = ipaddr.process(host)
    return net.kind() === address.kind() && address.match(net, bits)
  } catch {
    // Like other implementations of NO_PROXY, ignores invalid entries.
    return false
  }
}
