import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError, messageOf } from '../util/errors.ts'
import { rangeOf } from '../util/http/addresses.ts'
import type { HttpSettings } from '../util/http/http.ts'
import { secretReference } from '../util/secret.ts'
import { type Environment, resolveSecret } from './env.ts'

function isRange(text: string): boolean {
  try {
    rangeOf(text)
    return true
  } catch {
    return false
  }
}

/** The block `http`: how Caracal reaches the outside. */
export const httpSchema = z.strictObject({
  proxy: z
    .union([z.url({ protocol: /^https?$/ }), secretReference])
    .optional()
    .describe(
      'Proxy for everything that Caracal sends: a URL, or where one that holds a password is found. Default: the environment variables HTTPS_PROXY and HTTP_PROXY. This machine itself is always reached directly.',
    ),
  no_proxy: z
    .array(z.string())
    .optional()
    .describe(
      'What is reached without the proxy: names with their subdomains, addresses, ranges (10.0.0.0/8), or * for everything. Default: the environment variable NO_PROXY.',
    ),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe('File of certificates (PEM) of authorities that are trusted beside the usual ones.'),
  allow_private: z
    .array(z.string().refine(isRange, 'an address or a range, as in 10.0.0.0/8'))
    .default([])
    .describe(
      'Private addresses and ranges that tables of content may be fetched from. Addresses in this file itself (destinations, heartbeat_url) may always be private.',
    ),
})

type HttpConfig = z.output<typeof httpSchema>

/** The settings of the HTTP client. Throws `ConfigError` when a file or secret that is named cannot be used. */
export function httpSettings({ proxy, no_proxy, ca_file, allow_private }: HttpConfig, env: Environment): HttpSettings {
  const own = typeof proxy === 'object' ? resolveSecret(proxy, env) : proxy
  const given = (name: string) => env[name] || env[name.toLowerCase()] || undefined
  return {
    proxy: {
      https: proxyUrl(own ?? given('HTTPS_PROXY'), own === undefined ? 'HTTPS_PROXY' : 'http.proxy'),
      http: proxyUrl(own ?? given('HTTP_PROXY'), own === undefined ? 'HTTP_PROXY' : 'http.proxy'),
      except: no_proxy ?? given('NO_PROXY')?.split(/[\s,]+/) ?? [],
    },
    ca: ca_file === undefined ? undefined : authorities(ca_file),
    allowPrivate: allow_private,
  }
}

/** A proxy's URL, which may lack its scheme as curl allows. The message quotes nothing: it may hold a password. */
function proxyUrl(text: string | undefined, from: string): string | undefined {
  if (text === undefined) return undefined
  const url = text.includes('://') ? text : `http://${text}`
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new ConfigError(`${from} is not the URL of an HTTP proxy, as in http://proxy.example.com:3128`)
}

function authorities(file: string): string {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
    new X509Certificate(pem)
  } catch (error) {
    throw new ConfigError(`${file} cannot be used as a file of certificates (PEM): ${messageOf(error)}`, { path: 'http.ca_file' })
  }
  return pem
}
