import { isObject, type JsonObject, type JsonValue } from '../../../../model/json.ts'
import { addressOf } from '../public-address.ts'
import { objectOf, unreadable } from './answer.ts'
import { scannerRow } from './scanner-row.ts'
import type { Service, Verdicts } from './service.ts'

/** The multi look-up of version 3, for paid plans: many addresses per request. https://docs.greynoise.io/reference/post_v3-ip */
export const greynoise: Service = {
  type: 'greynoise',
  summary: "GreyNoise's paid look-up of addresses that scan the internet, many at once.",
  url: 'https://api.greynoise.io',
  keyHeader: 'key',
  needsKey: true,
  hasIpv6: false,
  atOnce: 500,
  perMinute: 500,
  perDay: 5000,
  request: (addresses, base) => ({
    url: `${base}/v3/ip`,
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ ips: addresses }),
  }),
  read({ status, body }, addresses) {
    const { data } = objectOf(status, body)
    if (status !== 200 || !Array.isArray(data)) throw unreadable(status, 'it has no list `data`')
    // Addresses about which nothing is known are missing from the answer.
    const verdicts = new Map<string, JsonObject | undefined>(addresses.map((address) => [address, undefined]))
    for (const one of data as readonly JsonValue[]) {
      const row = isObject(one) ? scannerRow(one) : undefined
      const ip = row && addressOf(String(row['ip']))
      if (row && ip !== undefined && verdicts.has(ip)) verdicts.set(ip, { ...row, ip })
    }
    return verdicts satisfies Verdicts
  },
}
