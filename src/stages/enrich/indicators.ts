import { isIp } from '../../model/ip.ts'

/** One value for one `p_any_*` field. */
export interface IndicatorValue {
  readonly field: string
  readonly value: string
}

/** Indicator → the `p_any_*` field that a table is joined on automatically if its key has the indicator. */
export const AUTOMATIC: Readonly<Record<string, string>> = {
  ip: 'p_any_ip_addresses',
  net_addr: 'p_any_ip_addresses',
  domain: 'p_any_domain_names',
  hostname: 'p_any_domain_names',
  url: 'p_any_domain_names',
  email: 'p_any_emails',
  username: 'p_any_usernames',
  md5: 'p_any_md5_hashes',
  sha1: 'p_any_sha1_hashes',
  sha256: 'p_any_sha256_hashes',
  aws_arn: 'p_any_aws_arns',
  aws_arn_only: 'p_any_aws_arns',
  aws_account_id: 'p_any_aws_account_ids',
  aws_instance_id: 'p_any_aws_instance_ids',
  aws_tag: 'p_any_aws_tags',
  trace_id: 'p_any_trace_ids',
}

/** All indicators that a column may have. */
export const INDICATORS = Object.keys(AUTOMATIC) as [string, ...string[]]

const TEXT: Readonly<Record<string, string>> = {
  username: 'p_any_usernames',
  aws_tag: 'p_any_aws_tags',
  trace_id: 'p_any_trace_ids',
}
const HASHES: Readonly<Record<string, { field: string; length: number }>> = {
  md5: { field: 'p_any_md5_hashes', length: 32 },
  sha1: { field: 'p_any_sha1_hashes', length: 40 },
  sha256: { field: 'p_any_sha256_hashes', length: 64 },
}

/** The values that a text yields under an indicator; empty if the text is not of that kind. */
export function indicatorsOf(indicator: string, text: string): IndicatorValue[] {
  const value = text.trim()
  if (value === '') return []
  const plain = TEXT[indicator]
  if (plain) return [{ field: plain, value }]
  const hash = HASHES[indicator]
  if (hash)
    return value.length === hash.length && /^[0-9a-f]+$/i.test(value) ? [{ field: hash.field, value: value.toLowerCase() }] : []
  switch (indicator) {
    case 'ip':
      return isIp(value) ? [{ field: 'p_any_ip_addresses', value }] : []
    case 'domain':
      return [{ field: 'p_any_domain_names', value }]
    case 'hostname':
      return host(value)
    case 'url':
      return URL.canParse(value) ? host(new URL(value).hostname.replace(/^\[(.*)\]$/, '$1')) : []
    case 'net_addr':
      return host(isIp(value) ? value : value.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1'))
    case 'email':
      return value.includes('@') ? [{ field: 'p_any_emails', value }] : []
    case 'aws_account_id':
      return /^\d{12}$/.test(value) ? [{ field: 'p_any_aws_account_ids', value }] : []
    case 'aws_instance_id':
      return value.startsWith('i-') ? [{ field: 'p_any_aws_instance_ids', value }] : []
    case 'aws_arn':
    case 'aws_arn_only':
      return arn(value, indicator === 'aws_arn')
    default:
      return []
  }
}

function host(value: string): IndicatorValue[] {
  if (value === '') return []
  return [{ field: isIp(value) ? 'p_any_ip_addresses' : 'p_any_domain_names', value }]
}

/** `arn:partition:service:region:account:resource`; the account is a separate indicator. */
function arn(value: string, withParts: boolean): IndicatorValue[] {
  if (!value.startsWith('arn:')) return []
  const account = withParts ? value.split(':')[4] : undefined
  const found = [{ field: 'p_any_aws_arns', value }]
  return account && /^\d{12}$/.test(account) ? [...found, { field: 'p_any_aws_account_ids', value: account }] : found
}
