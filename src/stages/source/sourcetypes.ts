import { z } from 'zod'

/**
 * Log types of the sourcetypes for text formats that Splunk and its add-ons define
 * (https://help.splunk.com/en/splunk-enterprise/get-data-in/list-of-pretrained-source-types). JSON is recognised by its content, so
 * its sourcetypes are not listed.
 */
const USUAL: Readonly<Record<string, string>> = {
  access_combined: 'Apache.AccessCombined',
  access_combined_wcookie: 'Apache.AccessCombined',
  access_common: 'Apache.AccessCommon',
  apache_error: 'Apache.Error',
  'apache:access:combined': 'Apache.AccessCombined',
  'apache:error': 'Apache.Error',
  'nginx:plus:access': 'Nginx.Access',
  'nginx:plus:error': 'Nginx.Error',
  linux_secure: 'Syslog.RFC3164',
  linux_messages_syslog: 'Syslog.RFC3164',
  syslog: 'Syslog.RFC3164',
  linux_audit: 'Linux.Auditd',
  'linux:audit': 'Linux.Auditd',
  XmlWinEventLog: 'Windows.EventLogs',
  'aws:s3:accesslogs': 'AWS.S3ServerAccess',
  vsftpd: 'Vsftpd.Log',
}

const MAX_NAME_CHARS = 200

/** Config key of a source whose senders name a sourcetype. */
export const sourcetypes = z
  .record(z.string().min(1).max(MAX_NAME_CHARS), z.string())
  .default({})
  .describe(
    'Log types of sourcetypes: `{access_combined: Nginx.Access}`. They come before those of common sourcetypes for text (docs/shippers.md).',
  )

/** Precedes a log type that is only meant for text: senders also use the usual sourcetypes for JSON, which says itself what it is. */
const TEXT_ONLY = 'text '

/**
 * What to store beside a body about a sourcetype. `own`: those of the source's config. The usual ones are for sources that accept any
 * log type only, since a source that names its log types need not accept theirs.
 */
export function typeFor(sourcetype: unknown, own: Readonly<Record<string, string>>, isNamed: boolean): string | undefined {
  if (typeof sourcetype !== 'string' || sourcetype.length > MAX_NAME_CHARS) return undefined
  if (Object.hasOwn(own, sourcetype)) return own[sourcetype]
  return !isNamed && Object.hasOwn(USUAL, sourcetype) ? TEXT_ONLY + USUAL[sourcetype] : undefined
}

/** The log type that what `typeFor` returned gives to this record or text, if it does. */
export function logTypeFrom(stored: string, record: string | Uint8Array): string | undefined {
  if (!stored.startsWith(TEXT_ONLY)) return stored
  return typeof record === 'string' && !/^\s*[{[]/.test(record) ? stored.slice(TEXT_ONLY.length) : undefined
}
