import { certificateEndMs } from '../../config/tls.ts'
import { systemProblem } from '../../model/system-problem.ts'
import { messageOf } from '../../util/errors.ts'
import type { Check } from './check.ts'

const DAY_MS = 86_400_000
/** Certificates that are renewed automatically usually are by then, 30 days before they end. */
export const RENEWAL_DAYS = 14

/** Checks how long the certificate of the HTTP port is still valid. `read` returns it as PEM. */
export function certificateCheck(read: (() => string) | undefined, now: () => number): Check {
  return {
    name: 'the certificate',
    run() {
      if (!read) return []
      try {
        const endMs = certificateEndMs(read())
        if (endMs - now() > RENEWAL_DAYS * DAY_MS) return []
        const end = new Date(endMs).toISOString()
        const message =
          endMs <= now() ? `The certificate of \`tls\` expired at ${end}` : `The certificate of \`tls\` expires at ${end}`
        return [systemProblem('CertificateExpiring', '', message)]
      } catch (error) {
        return [systemProblem('CertificateExpiring', '', `The certificate of \`tls\` cannot be read: ${messageOf(error)}`)]
      }
    },
  }
}
