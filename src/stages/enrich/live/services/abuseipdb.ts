import { isObject } from '../../../../model/json.ts'
import { objectOf, unreadable } from './answer.ts'
import type { Service } from './service.ts'

/**
 * The check endpoint: how often others have reported an address within 90 days. An address that was never reported, or whose reports count
 * for nothing, gets no row. The free plan includes 1,000 checks a day. https://docs.abuseipdb.com/#check-endpoint
 */
export const abuseipdb: Service = {
  type: 'abuseipdb',
  summary: 'Reports of abuse that AbuseIPDB has collected about an address.',
  url: 'https://api.abuseipdb.com',
  keyHeader: 'Key',
  needsKey: true,
  hasIpv6: true,
  atOnce: 1,
  perMinute: 60,
  perDay: 1000,
  request: ([address], base) => ({
    url: `${base}/api/v2/check?ipAddress=${encodeURIComponent(address!)}&maxAgeInDays=90`,
    headers: { accept: 'application/json' },
  }),
  read({ status, body }, addresses) {
    const [address = ''] = addresses
    const answer = objectOf(status, body)
    // The service considers it not to be an address that can be reported.
    if (status === 422 && Array.isArray(answer['errors'])) return new Map([[address, undefined]])
    const { data } = answer
    if (status !== 200 || !isObject(data) || typeof data['abuseConfidenceScore'] !== 'number')
      throw unreadable(status, 'it has no `data.abuseConfidenceScore`')
    const score = data['abuseConfidenceScore']
    if (score <= 0) return new Map([[address, undefined]])
    const row = {
      ip: address,
      abuse_confidence_score: score,
      total_reports: data['totalReports'],
      distinct_reporters: data['numDistinctUsers'],
      last_reported_at: data['lastReportedAt'],
      country_code: data['countryCode'],
      usage_type: data['usageType'],
      isp: data['isp'],
      domain: data['domain'],
      is_tor: data['isTor'],
      is_whitelisted: data['isWhitelisted'],
      link: `https://www.abuseipdb.com/check/${address}`,
    }
    return new Map([
      [address, Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== undefined))],
    ])
  },
}
