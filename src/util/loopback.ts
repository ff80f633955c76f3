import { isIPv4, isIPv6 } from 'node:net'

/** `127.0.0.0/8`, `::1` and `localhost`: what is sent there does not leave this machine. `host`: without brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && /^[0:]*1$/.test(host))
}
