import type { JsonObject, JsonValue } from '../../model/json.ts'
import { isSingleField, journalText } from '../../util/journal-fields.ts'
import { setOwn } from '../../util/json.ts'
import type { SchemaSpec } from './document.ts'
import { isIntegerType, Misfit, toInteger } from './values.ts'

/** Names of the journal's fields. Others are what a shipper adds. */
const NAME = /^[A-Z_][A-Z0-9_]*$/

/**
 * Reads entries as `journalctl --output=json` writes them: a value that is not printable UTF-8 is a list of its bytes, one that is too long
 * is null, and a field that occurs several times is a list of such values
 * (https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format). They become what the source `journald` makes of the same entry. Programs
 * may set fields such as `PRIORITY` to anything, so a value that is no integer of the field's type is kept as text under `INVALID`.
 */
export function journalReader(fields: SchemaSpec['fields']): (raw: JsonObject) => JsonObject {
  const integers = fields.flatMap(({ name, type }) => (isIntegerType(type) ? [{ name, type }] : []))
  return (raw) => {
    const record = Object.values(raw).some(Array.isArray) ? withTexts(raw) : raw
    const wrong = integers.filter(({ name, type }) => {
      const value = Object.hasOwn(record, name) ? record[name] : undefined
      return typeof value === 'string' && toInteger(value, name, type) instanceof Misfit
    })
    if (wrong.length === 0) return record
    const rest = { ...record }
    const invalid: JsonObject = {}
    for (const { name } of wrong) {
      setOwn(invalid, name, record[name])
      delete rest[name]
    }
    return { ...rest, INVALID: invalid }
  }
}

/** The record with texts, and lists of texts, instead of bytes. */
function withTexts(raw: JsonObject): JsonObject {
  const record: JsonObject = {}
  const repeated: JsonObject = {}
  for (const [name, value] of Object.entries(raw)) {
    const read = Array.isArray(value) && NAME.test(name) ? readList(value) : value
    const isRepeated = Array.isArray(read) && Array.isArray(value) && isSingleField(name)
    setOwn(record, name, isRepeated ? read[0] : read)
    if (isRepeated && read.length > 1) setOwn(repeated, name, read)
  }
  return Object.keys(repeated).length > 0 ? { ...record, REPEATED: repeated } : record
}

/** The text whose bytes these are, or the texts of the several values of a field, without those that were too long. */
function readList(list: readonly JsonValue[]): JsonValue {
  if (isBytes(list)) return journalText(Buffer.from(list))
  return list
    .filter((one) => one !== null)
    .map((one) => (Array.isArray(one) && isBytes(one) ? journalText(Buffer.from(one)) : one))
}

function isBytes(list: readonly JsonValue[]): list is number[] {
  return list.length > 0 && list.every((one) => typeof one === 'number' && Number.isInteger(one) && one >= 0 && one <= 0xff)
}
