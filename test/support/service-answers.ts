/** Response bodies as the services write them, for any address. Written by us after their documentation. */

export interface Response {
  readonly status: number
  readonly body: string
}

export interface Responses {
  /** Addresses in a request. */
  readonly addressesOf: (request: { readonly url: string; readonly body: string }) => readonly string[]
  /** The answer about these addresses, of which some are bad. */
  readonly answer: (addresses: readonly string[], isBad: (address: string) => boolean) => Response
  readonly keyRefused: Response
  readonly tooMany: Response
}

const answered = (status: number, body: object): Response => ({ status, body: JSON.stringify(body) })

function communityAnswer(ip: string, isBad: boolean): Response {
  if (!isBad) {
    const message = 'IP not observed scanning the internet or contained in RIOT data set.'
    return answered(404, { ip, noise: false, riot: false, message })
  }
  const link = `https://viz.greynoise.io/ip/${ip}`
  const row = { ip, noise: true, riot: false, classification: 'malicious', name: 'unknown', link, last_seen: '2026-11-28' }
  return answered(200, { ...row, message: 'Success' })
}

function scanner(ip: string, isBad: boolean): object {
  const none = { found: false, category: '', name: '', description: '', explanation: '', last_updated: '', reference: '' }
  const seen = {
    first_seen: '2026-10-02',
    last_seen: '2026-11-28',
    found: true,
    actor: 'unknown',
    spoofable: false,
    classification: 'malicious',
    cves: ['CVE-2023-1389'],
    bot: true,
    vpn: false,
    vpn_service: '',
    tor: false,
    tags: [{ id: '1', slug: 'mirai', name: 'Mirai', intention: 'malicious' }],
    metadata: { asn: 'AS64500', source_country: 'Iceland', organization: 'Example Hosting', category: 'hosting' },
  }
  return { ip, business_service_intelligence: none, internet_scanner_intelligence: isBad ? seen : { found: false } }
}

function check(ipAddress: string, isBad: boolean): Response {
  return answered(200, {
    data: {
      ipAddress,
      isPublic: true,
      ipVersion: ipAddress.includes(':') ? 6 : 4,
      isWhitelisted: null,
      abuseConfidenceScore: isBad ? 100 : 0,
      countryCode: 'IS',
      usageType: 'Data Center/Web Hosting/Transit',
      isp: 'Example Hosting',
      domain: 'hosting.example',
      hostnames: [],
      isTor: false,
      totalReports: isBad ? 41 : 0,
      numDistinctUsers: isBad ? 12 : 0,
      lastReportedAt: isBad ? '2026-11-28T20:55:14+00:00' : null,
    },
  })
}

export const RESPONSES: Readonly<Record<string, Responses>> = {
  greynoise_community: {
    addressesOf: ({ url }) => [decodeURIComponent(url.split('/').at(-1)!)],
    answer: ([ip], isBad) => communityAnswer(ip!, isBad(ip!)),
    keyRefused: answered(401, { message: 'Invalid API key' }),
    tooMany: answered(429, { plan: 'unauthenticated', rate_limit: '50-lookups/week', message: 'You have hit your rate limit.' }),
  },
  greynoise: {
    addressesOf: ({ body }) => (JSON.parse(body) as { ips: string[] }).ips,
    answer: (ips, isBad) =>
      answered(200, { data: ips.map((ip) => scanner(ip, isBad(ip))), request_metadata: { count: ips.length } }),
    keyRefused: answered(401, { message: 'forbidden' }),
    tooMany: answered(429, { message: 'too many requests' }),
  },
  abuseipdb: {
    addressesOf: ({ url }) => [new URL(url, 'http://x').searchParams.get('ipAddress')!],
    answer: ([ip], isBad) => check(ip!, isBad(ip!)),
    keyRefused: answered(401, {
      errors: [{ detail: 'Authentication failed. Your API key is either missing, incorrect, or revoked.', status: 401 }],
    }),
    tooMany: answered(429, {
      errors: [{ detail: 'Daily rate limit of 1000 requests exceeded for this endpoint.', status: 429 }],
    }),
  },
}
