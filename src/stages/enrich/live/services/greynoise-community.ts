import type { JsonObject } from '../../../../model/json.ts'
import { objectOf, unreadable } from './answer.ts'
import { scannerRow } from './scanner-row.ts'
import type { Service } from './service.ts'

/**
 * One address per request, with a free key or without any. The free plan includes 50 look-ups a week, hence the limit per day. 404: the
 * sensors have not seen the address. https://docs.greynoise.io/reference/getcommunityip
 */
export const greynoiseCommunity: Service = {
  type: 'greynoise_community',
  summary: "GreyNoise's free look-up of single addresses that scan the internet.",
  url: 'https://api.greynoise.io',
  keyHeader: 'key',
  needsKey: false,
  hasIpv6: false,
  atOnce: 1,
  perMinute: 10,
  perDay: 7,
  request: ([address], base) => ({
    url: `${base}/v3/community/${encodeURIComponent(address!)}`,
    headers: { accept: 'application/json' },
  }),
  read({ status, body }, addresses) {
    const answer = objectOf(status, body)
    const [address = ''] = addresses
    if (status !== 200 && status !== 404) throw unreadable(status, 'the status is neither 200 nor 404')
    // A proxy's 404 must not pass for "not seen".
    if (typeof answer['noise'] !== 'boolean') throw unreadable(status, 'it does not say whether the address is noise')
    return new Map([[address, withoutMessage(scannerRow(answer), address)]])
  },
}

/** `message` only says that the request succeeded. */
function withoutMessage(row: JsonObject | undefined, ip: string): JsonObject | undefined {
  if (!row) return undefined
  const { message: _, ...rest } = row
  return { ...rest, ip }
}
