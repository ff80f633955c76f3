import type { Config } from '../../config/config.ts'
import type { Environment } from '../../config/env.ts'
import { certificateEndMs, readKeyPair } from '../../config/tls.ts'
import { RENEWAL_DAYS } from '../checks/certificate.ts'
import { type Examination, failed, ok, warning } from './examination.ts'

const DAY_MS = 86_400_000
const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\]):/

/** Checks the certificate of the HTTP port, and that a port on the network has one or a proxy before it. */
export function certificateExamination({ tls, listen, trusted_proxies }: Config, env: Environment, nowMs: number): Examination {
  return {
    name: 'TLS',
    run() {
      if (!tls) {
        if (LOOPBACK.test(listen) || trusted_proxies.length > 0)
          return ok('not used; the port is on this machine or behind a proxy')
        return warning(
          `tokens and logs cross the network unencrypted: ${listen} has no certificate`,
          'set `tls`, or listen on 127.0.0.1 behind a reverse proxy and name it in `trusted_proxies`',
        )
      }
      const endMs = certificateEndMs(readKeyPair(tls, env).cert)
      const days = Math.floor((endMs - nowMs) / DAY_MS)
      const message = `the certificate ${endMs <= nowMs ? 'expired' : 'is valid until'} ${new Date(endMs).toISOString()}`
      const advice = 'renew it; Caracal takes over the new files by itself'
      if (endMs <= nowMs) return failed(message, advice)
      return days < RENEWAL_DAYS ? warning(message, advice) : ok(message)
    },
  }
}
