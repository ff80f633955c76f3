import { find } from '../../../../util/define.ts'
import { abuseipdb } from './abuseipdb.ts'
import { greynoise } from './greynoise.ts'
import { greynoiseCommunity } from './greynoise-community.ts'
import type { Service } from './service.ts'

/** Built-in services for live tables. A new one is one file in this folder and one name here. */
export const services: readonly Service[] = [greynoiseCommunity, greynoise, abuseipdb]

/** The values of `service:`. */
export const serviceTypes: readonly string[] = services.map(({ type }) => type)

export function serviceOf(type: string): Service {
  return find('service', services, type)
}
