import { isMap, isSeq, type Node } from 'yaml'
import type { FieldDocument } from '../../packs/infer/document.ts'
import { unknownFieldsIn } from '../../packs/infer/unknown-fields.ts'
import { Refused } from '../../util/errors.ts'
import type { Engine } from '../engine.ts'
import { documentOf } from './rule-text.ts'
import type { SchemaText } from './schemas.ts'
import { editYaml } from './yaml-edit.ts'

/** Fields that events of a log type have and its schema does not. */
export interface Proposal {
  /** The events that they were found in. */
  readonly events: number
  /** When the first and the last of these were stored, as queries show times; `undefined` without events. */
  readonly stored: readonly [from: string, to: string] | undefined
  readonly fields: readonly FieldDocument[]
  /** What could not be decided, one sentence each. */
  readonly notes: readonly string[]
}

/** A schema's file with further fields. */
export interface SchemaPreview {
  readonly before: SchemaText
  readonly yaml: string
}

export interface UnknownFieldsDeps {
  readonly text: (logType: string) => Promise<SchemaText>
  readonly query: Engine['query']
}

/** Events that are read, the newest that have such fields. */
const MAX_EVENTS = 1000
/** Events with more text in unknown fields are left out: together they must fit into memory. */
const MAX_EXTRA_BYTES = 16_384

/** Proposes fields for a schema from the values that events have. A schema that is unknown is a `ConfigError`. */
export class UnknownFields {
  readonly #deps: UnknownFieldsDeps

  constructor(deps: UnknownFieldsDeps) {
    this.#deps = deps
  }

  /** The fields that the newest events have and the schema lacks, as it is now. */
  async propose(logType: string): Promise<Proposal> {
    const { yaml } = await this.#deps.text(logType)
    const rows = await this.#newest(logType.replaceAll('.', '_').toLowerCase())
    const { events, fields, notes } = unknownFieldsIn(rows.map(([extra]) => extra))
    // Older events still have in `extra` what the schema has learned since.
    const known = namesIn(yaml)
    const [newest, oldest] = [rows[0], rows.at(-1)]
    return {
      events,
      stored: newest && oldest && [oldest[1], newest[1]],
      fields: fields.filter(({ name, rename }) => !known.has(name) && !known.has(rename?.from ?? name)),
      notes,
    }
  }

  /** The newest events with unknown fields: these as text, and when the event was stored. */
  async #newest(table: string): Promise<readonly (readonly [extra: unknown, stored: string])[]> {
    const { query } = this.#deps
    // A log type has no table before its first event.
    const exists = `SELECT 1 FROM information_schema.tables WHERE table_schema = 'logs' AND table_name = {table:String}`
    if ((await query(exists, { params: { table }, fresh: true })).rows.length === 0) return []
    const short = `extra IS NOT NULL AND length(extra) <= ${MAX_EXTRA_BYTES}`
    const sql = `SELECT extra, p_parse_time FROM logs.${table} WHERE ${short} ORDER BY p_parse_time DESC LIMIT ${MAX_EVENTS}`
    return (await query(sql)).rows.map((row) => JSON.parse(row) as [extra: unknown, stored: string])
  }

  /** The file of the schema with some of the proposed fields at its end. Writes nothing. Throws `Refused` for a name that is not proposed. */
  async preview(logType: string, names: readonly string[]): Promise<SchemaPreview> {
    const { fields } = await this.propose(logType)
    const before = await this.#deps.text(logType)
    const chosen = names.map((name) => {
      const field = fields.find((one) => one.name === name)
      if (field) return field
      const others = fields.map((one) => one.name).slice(0, 20)
      const known = others.length > 0 ? `Those that have one: ${others.join(', ')}` : 'No field has one'
      throw new Refused(`no value of a field '${name.slice(0, 200)}' without a schema was found in ${logType}. ${known}`)
    })
    return { before, yaml: withFields(before, chosen) }
  }
}

function namesIn(yaml: string): ReadonlySet<string> {
  const { fields } = documentOf(yaml)
  const names = new Set<string>()
  for (const field of Array.isArray(fields) ? (fields as readonly Partial<FieldDocument>[]) : []) {
    for (const name of [field.name, field.rename?.from]) if (typeof name === 'string') names.add(name)
  }
  return names
}

function withFields({ yaml, path }: SchemaText, fields: readonly FieldDocument[]): string {
  return editYaml(yaml, path, (document) => {
    const list = document.get('fields')
    if (!isSeq(list)) throw new Refused(`\`fields\` in ${path} is not a list that can be added to: edit the file yourself`)
    const isFlat = list.items.every((item) => isMap(item) && item.flow === true)
    for (const field of fields) {
      const node = document.createNode(field) as Node & { flow?: boolean }
      if (isFlat) node.flow = true
      list.add(node)
    }
  })
}
