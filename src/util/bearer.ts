import { createHash, timingSafeEqual } from 'node:crypto'

/** The token of an `Authorization: Bearer <token>` header; `undefined` if there is none. */
export function bearerOf(header: string | null | undefined): string | undefined {
  return /^bearer +(\S+)$/i.exec(header ?? '')?.[1]
}

/** `user:password` of an `Authorization: Basic` header; `undefined` if there is none. */
export function basicOf(header: string | null | undefined): string | undefined {
  const encoded = /^basic +([\w+/=-]+)$/i.exec(header ?? '')?.[1]
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString()
}

/**
 * The secret of an `Authorization` header as senders of logs write it: `Bearer <token>`, `Splunk <token>`, the password of `Basic`, or the
 * key of `ApiKey <base64 of id:key>`; `undefined` if there is none.
 */
export function tokenOf(header: string | null | undefined): string | undefined {
  const basic = basicOf(header)
  if (basic !== undefined) return basic.slice(basic.indexOf(':') + 1)
  const [, scheme, value] = /^(bearer|splunk|apikey) +(\S+)$/i.exec(header ?? '') ?? []
  if (value === undefined || scheme?.toLowerCase() !== 'apikey') return value
  const pair = Buffer.from(value, 'base64').toString()
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : value
}

/** True if the secrets are equal. Takes constant time, whatever their lengths. */
export function sameSecret(given: string | undefined, expected: string): boolean {
  return given !== undefined && timingSafeEqual(digest(given), digest(expected))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
