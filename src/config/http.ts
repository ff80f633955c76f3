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

/** The `http` block: settings for outgoing HTTP. */
export const httpSchema = z.strictObject({
  proxy: z
    .union([z.url({ protocol: /^https?$/ }), secretReference])
    .optional()
    .describe(
      'Proxy for all outgoing requests: a URL, or a secret reference if the URL contains a password. Default: the environment variables HTTPS_PROXY and HTTP_PROXY. Requests to this machine never use the proxy.',
    ),
  no_proxy: z
    .array(z.string())
    .optional()
    .describe(
      'Hosts to reach without the proxy: names (subdomains included), addresses, ranges (10.0.0.0/8), or * for all. Default: the environment variable NO_PROXY.',
    ),
  ca_file: z.string().min(1).optional().describe('PEM file of CA certificates to trust in addition to the standard ones.'),
  allow_private: z
    .array(z.string().refine(isRange, 'an address or a range, as in 10.0.0.0/8'))
    .default([])
    .describe(
      'Private addresses and ranges that tables may be fetched from. URLs in this file (destinations, heartbeat_url) may always be private.',
    ),
})

type HttpConfig = z.output<typeof httpSchema>

/** Settings for the HTTP client. Throws `ConfigError` when the CA file or a secret cannot be used. */
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

/** A proxy URL; like curl, we accept one without a scheme. The message does not quote the value, which may contain a password. */
function proxyUrl(text: string | undefined, from: string): string | undefined {
  if (text === undefined) return undefined
  const url = text.includes('://') ? text : `http://${text}`
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new ConfigError(`${from} is not the URL of an HTTP proxy; it should look like http://proxy.example.com:3128`)
}

function authorities(file: string): string {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
    new X509Certificate(pem)
  } catch (error) {
    throw new ConfigError(`${file} cannot be used as a PEM certificate file: ${messageOf(error)}`, { path: 'http.ca_file' })
  }
  return pem
}
