import { Refused, RetryLater } from '../../util/errors.ts'
import { reasonOf } from '../../util/http/reasons.ts'

/** What nodemailer adds to its errors. Their texts quote the server, which may quote a secret, and are not used. */
interface MailError {
  readonly code?: unknown
  /** The code of the system, where `code` is one of nodemailer's. */
  readonly originalCode?: unknown
  /** Of SMTP: 4xx passes, 5xx does not. */
  readonly responseCode?: unknown
  readonly command?: unknown
  readonly rejectedErrors?: readonly MailError[] | undefined
}

/** The error of a message that nobody got: `Refused` if the server will never take it. No text of the server is in it. */
export function mailFailure(error: unknown, recipients: readonly string[], place: string): RetryLater | Refused {
  const { code, originalCode, responseCode, command, rejectedErrors } = Object(error) as MailError
  if (code === 'EENVELOPE' && rejectedErrors && rejectedErrors.length > 0)
    return refusedRecipients(recipients, rejectedErrors, place)
  const status = typeof responseCode === 'number' && responseCode > 0 ? responseCode : undefined
  const answer = status === undefined ? '' : ` (${status})`
  if (code === 'EAUTH' || code === 'ENOAUTH')
    return judged(status ?? 500, `${place} did not accept \`username\` and \`password\`${answer}`)
  if (code === 'ETLS' && status !== undefined)
    return judged(status, `${place} does not change to TLS${answer}: if it begins with TLS, set \`tls: implicit\``)
  if (code === 'ETLS')
    return new RetryLater(
      `${place} cannot be reached: TLS failed. Its certificate must be for that name and from a known authority (http.ca_file)`,
    )
  if (status !== undefined)
    return judged(status, `${place} answered ${status}${command === 'MAIL FROM' ? ' to the sender: check `from`' : ''}`)
  if (code === 'ETIMEDOUT') return new RetryLater(`${place} does not answer in time: check \`host\`, \`port\` and \`tls\``)
  if (code === 'EPROTOCOL') return new RetryLater(`${place} does not speak SMTP: check \`port\` and \`tls\``)
  const system = Object.assign(new Error(), { code: originalCode ?? (code === 'ESOCKET' ? undefined : code) })
  return new RetryLater(`${place} cannot be reached: ${reasonOf(system)}`)
}

/** The error of a message that some recipients were refused. It passes if one of the refusals does. */
export function refusedRecipients(
  recipients: readonly string[],
  errors: readonly MailError[],
  place: string,
): RetryLater | Refused {
  const codes = errors.map(({ responseCode }) => Number(responseCode) || 0)
  const passing = codes.find((code) => code < 500)
  const message = `${place} refused ${recipients.join(', ')} (${[...new Set(codes)].join(', ')})`
  return judged(passing ?? codes[0] ?? 0, message)
}

function judged(status: number, message: string): RetryLater | Refused {
  return status >= 500 ? new Refused(message) : new RetryLater(message)
}
