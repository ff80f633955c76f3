import { createPrivateKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { ConfigError, messageOf } from '../util/errors.ts'
import { rangeOf } from '../util/http/addresses.ts'
import { secretReference } from '../util/secret.ts'
import { type Environment, resolveSecret } from './env.ts'

/** The `tls` block: the certificate of the HTTP port. */
export const tlsSchema = z.strictObject({
  cert: z.strictObject({ file: z.string().min(1) }).describe('File with the certificate and its chain, PEM.'),
  key: secretReference.describe('Reference to the private key, PEM.'),
})

/** The `trusted_proxies` key. */
export const proxiesSchema = z.array(
  z.string().refine((text) => {
    try {
      return rangeOf(text) !== undefined
    } catch {
      return false
    }
  }, 'an address or a range, as in 10.0.0.0/8'),
)

/** Certificate chain and private key, both PEM, read and found to belong together. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** Reads the files of the block. Throws `ConfigError` that says what is wrong with them; never quotes the key. */
export function readKeyPair(tls: z.output<typeof tlsSchema>, env: Environment): KeyPair {
  const cert = part('cert', () => resolveSecret(tls.cert, env))
  const key = part('key', () => resolveSecret(tls.key, env))
  const certificate = part('cert', () => new X509Certificate(cert))
  const privateKey = part('key', () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey))
    throw new ConfigError('the key does not belong to the certificate (the first one in its file)', { path: 'tls' })
  return { cert, key }
}

function part<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const what = error instanceof ConfigError ? messageOf(error) : `it is not in PEM format (${messageOf(error)})`
    throw new ConfigError(what, { path: `tls.${name}` }, { cause: error })
  }
}

/** When the certificate ends, in milliseconds. Throws if it is not a certificate. */
export function certificateEndMs(cert: string): number {
  return Date.parse(new X509Certificate(cert).validTo)
}
