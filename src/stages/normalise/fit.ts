import type { JsonObject } from '../../model/json.ts'
import type { Fit } from '../../model/schema.ts'
import type { SchemaSpec } from './document.ts'
import type { Names } from './generate-normalise.ts'
import { isIp } from './indicators.ts'
import { isDerived } from './transformations.ts'

/**
 * Field names that are common to all kinds of logs. They are not evidence of a log type unless the value is telling: an address
 * where the schema has an address, or a value that the field's `marker` describes.
 */
const COMMON_NAMES: ReadonlySet<string> = new Set(
  `ts time timestamp date datetime id uid name type kind class category level severity priority msg message text note info
  description detail details reason error status state result success code action operation command method event app
  application program process pid host hostname ip address addr node peer src dst source dest destination client server
  domain user username account role group session port proto protocol service path file filename uri url query version
  duration size length bytes count value key mode tags labels location config os agent filter scope hits
  ty ev old_value new_value`.split(/\s+/),
)

/**
 * Fields that shippers add to every record, whatever its kind: of Elastic's agents, Logstash, Fluent Bit and the Splunk collector's
 * clients. A schema that does not have them fits no worse.
 */
const SHIPPER_NAMES: ReadonlySet<string> = new Set(
  '@timestamp @version @metadata _index _id host agent ecs input log tags'.split(' '),
)

/** How well records' keys fit a schema, and whether their values are further evidence. */
export interface Fitting {
  fit(record: JsonObject): Fit
  confirmed(record: JsonObject): number
}

/** Compiles what guessing needs to know about a schema. */
export function compileFit(spec: SchemaSpec, { slots, unfold }: Names): Fitting {
  const tells = spec.fields.map(({ name }) => !COMMON_NAMES.has(name.toLowerCase()))
  const required = spec.fields.flatMap((field, slot) => (field.required && !isDerived(field) ? [{ name: field.name, slot }] : []))
  const checks = spec.fields.map(({ name, indicators, marker }) => {
    if (!COMMON_NAMES.has(name.toLowerCase())) return undefined
    if (marker) return (text: string) => marker.endsWith.some((end) => text.endsWith(end))
    return indicators.includes('ip') ? isIp : undefined
  })
  return {
    fit(record) {
      const raw = unfold(record)
      const found = new Set<number>()
      const unknown: string[] = []
      for (const key of Object.keys(raw)) {
        const slot = slots.get(key)
        if (slot === undefined) {
          if (!SHIPPER_NAMES.has(key)) unknown.push(key)
        } else if (raw[key] !== null && raw[key] !== undefined) found.add(slot)
      }
      let telling = 0
      let times = 0
      for (const slot of found) {
        if (tells[slot]) telling++
        if (spec.fields[slot]!.isEventTime) times++
      }
      const missing = required.filter(({ slot }) => !found.has(slot)).map(({ name }) => name)
      return { known: found.size, times, telling, unknown, missing, isWhole: found.size >= spec.ownFields }
    },
    confirmed(record) {
      const raw = unfold(record)
      let confirmed = 0
      for (const key of Object.keys(raw)) {
        const value = raw[key]
        const slot = slots.get(key)
        if (slot !== undefined && typeof value === 'string' && checks[slot]?.(value)) confirmed++
      }
      return confirmed
    },
  }
}
