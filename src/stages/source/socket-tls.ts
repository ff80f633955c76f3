import type { TlsOptions } from 'node:tls'
import { z } from 'zod'
import { secretReference } from '../../util/secret.ts'
import type { IntakeDeps } from './source.ts'

/** Config of TLS for sources with a port of their own. */
export const socketTls = z.strictObject({
  cert: z.strictObject({ file: z.string().min(1) }).describe('File with the certificate and its chain, PEM.'),
  key: secretReference.describe('Reference to the private key, PEM.'),
  client_ca: z
    .strictObject({ file: z.string().min(1) })
    .optional()
    .describe('File with certificates, PEM: only senders with a certificate from one of these authorities are accepted.'),
})

/** The server's options for such a config. Throws `ConfigError` if a file cannot be read. */
export function tlsOptions({ cert, key, client_ca }: z.output<typeof socketTls>, secret: IntakeDeps['secret']): TlsOptions {
  return {
    cert: secret(cert),
    key: secret(key),
    ...(client_ca && { ca: secret(client_ca), requestCert: true, rejectUnauthorized: true }),
  }
}
