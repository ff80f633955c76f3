import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { rangeOf } from './addresses.ts'

export interface ProxySettings {
  /** URL of the proxy for https addresses, perhaps with user and password. */
  readonly https?: string | undefined
  readonly http?: string | undefined
  /** What is reached without a proxy, as in NO_PROXY: see `isDirect`. */
  readonly except: readonly string[]
}

/** The proxy through which a URL is reached; `undefined`: directly. This machine itself is always reached directly. */
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
 * One entry of NO_PROXY: `*`, a name with its subdomains (`example.com`, `.example.com`, `*.example.com`), an address, a range
 * (`10.0.0.0/8`); each but `*` and ranges perhaps with a port.
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
    // As every other reader of NO_PROXY does, an entry that says nothing is passed over.
    return false
  }
}
