import { isIp } from '../../../../model/ip.ts'
import type { JsonObject } from '../../../../model/json.ts'

const NUMBERS = ['source_port', 'uid', 'gid', 'attempts']

/** Sets a field from text; false if the value is not what the field's name says. Empty values are not set. */
export function setField(fields: JsonObject, name: string, value: string): boolean {
  if (value === '') return true
  if (name === 'source') return setSource(fields, value)
  if (!NUMBERS.includes(name)) fields[name] = value
  else if (/^\d{1,10}$/.test(value)) fields[name] = Number(value)
  else return false
  return true
}

/** Where a connection came from: `source_ip`, or `source_host` if it is a name. */
export function setSource(fields: JsonObject, text: string): boolean {
  if (text === '' || text === '?' || text === 'UNKNOWN') return true
  if (text.includes(' ')) return false
  const address = text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text
  if (isIp(address)) fields['source_ip'] = address
  else fields['source_host'] = text
  return true
}
