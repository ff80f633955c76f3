/** Readable reasons for the most common connection failures. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to its network',
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'the name server does not respond',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_ABORTED: 'the proxy did not open the connection',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too long',
  UND_ERR_SOCKET: 'the connection broke',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const INVALID = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'CERT_REVOKED', 'ERR_TLS_CERT_ALTNAME_INVALID'])

/**
 * Why a connection failed, in our own words plus the code. The errors' own messages are not used: a parser's quotes the response, and a
 * header's quotes the invalid value.
 */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  if (code === undefined) return 'the connection failed'
  if (UNTRUSTED.has(code)) return `its certificate is not trusted (${code}): name the authority's file in http.ca_file`
  if (code.startsWith('HPE_')) return `what answers there does not speak HTTP (${code})`
  if (code.startsWith('ERR_SSL_')) return `what answers there does not speak TLS as expected (${code})`
  return `${WORDS[code] ?? 'the connection failed'} (${code})`
}

/** True if the other side answers, but with a certificate that does not prove its name. */
export function isCertificateFault(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && (UNTRUSTED.has(code) || INVALID.has(code))
}

/** The first code among an error and its causes. */
function codeOf(error: unknown): string | undefined {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code
    at = at.cause
  }
  return undefined
}
