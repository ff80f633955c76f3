import type { FinishedRows } from '../model/batch.ts'
import type { Event } from '../model/event.ts'
import type { JsonObject } from '../model/json.ts'
import { defineTable } from '../stages/enrich/definition.ts'
import { createEnricher } from '../stages/enrich/enricher.ts'
import type { Table } from '../stages/enrich/table.ts'
import { createFindRows } from '../stages/enrich/written/found-rows.ts'
import { defineWritten, type WrittenDefinition } from '../stages/enrich/written/written-table.ts'
import type { Parser } from '../stages/parse/parser.ts'
import { eventRows } from './finished-rows.ts'
import type { Generation, Making } from './generation.ts'
import { lineGeneration, lineParser, lineSchema } from './loop.fixture.ts'
import { HERE, takePath } from './path.ts'
import type { EncodedBatch } from './steps.ts'
import { TableReplica } from './table-replica.ts'
import type { TableWriter, WrittenTables } from './table-writer.ts'

/** A table that lines `key value` write, and that every line is joined with by its key. */
export function tableOf(events: object = {}, more: object = {}): WrittenDefinition {
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 'seen',
    Events: {
      LogTypes: ['Test.Line'],
      Columns: { key: 'key', value: 'value' },
      ...events,
    },
    LogTypeMap: { PrimaryKey: 'key', AssociatedLogTypes: [{ LogType: 'Test.Line', Selectors: ['key'] }] },
    ...more,
  }
  const definition = defineTable(document, { file: 'seen.yml' })
  return defineWritten({ ...definition, events: definition.events! }, undefined, (event) => event['value'] !== undefined)
}

export function tablesOf(...definitions: readonly WrittenDefinition[]): WrittenTables {
  return { definitions, find: createFindRows(definitions) }
}

/** `key value` writes, `key` only reads. */
const parser: Parser = {
  parse(chunk, source, receivedMs) {
    const parsed = lineParser.parse(chunk, source, receivedMs)
    for (const event of parsed.groups.flatMap(({ events }) => events)) {
      const [key, value] = String(event['line']).split(' ')
      Object.assign(event, { key, ...(value !== undefined && { value }) })
    }
    return parsed
  },
}

/** The generation whose events have, as their `line`, the row that they were joined with. */
export function writingGeneration(writer: TableWriter, tables: WrittenTables, making?: Making): Generation {
  const enricher = (written: readonly Table[] = []) => {
    const { enrich, ...rest } = createEnricher(written)
    const showing: typeof enrich = (schema, events, options) => {
      enrich(schema, events, options)
      for (const event of events) show(event)
    }
    return { ...rest, enrich: showing }
  }
  return lineGeneration({
    parser,
    detectors: [],
    ...(making && { making }),
    written: { tables, begin: (ms) => writer.begin(tables, ms), latest: () => writer.latest(tables) },
    sources: {
      get: (id: string) => ({ parse: { id, label: id, schemas: [lineSchema], isNamed: true, logType: undefined }, enricher }),
    } as unknown as Generation['sources'],
  })
}

function show(event: Event): void {
  const rows = (event['p_enrichment'] as Record<string, Record<string, JsonObject>> | undefined)?.['seen']
  const row = rows && Object.values(rows)[0]
  event['line'] = `${event['line']} -> ${row ? `${row['value']} by ${row['p_version']}` : 'nothing'}`
}

/** Other threads that take batches through the first half of the path, each with its own copy of the rows, and in any order. */
export function makersOf(count: number, writer: TableWriter, tables: WrittenTables, pause: () => Promise<void>): Making {
  const replicas = Array.from(
    { length: count },
    () => new TableReplica(async (asked) => structuredClone(await writer.answer(asked))),
  )
  let next = 0
  return {
    async make({ onParsed, ...batch }, origin, written) {
      const replica = replicas[next++ % count]!
      await pause()
      let made: EncodedBatch<readonly FinishedRows[]> | undefined
      await takePath({ ...batch, onParsed }, writingGeneration(writer, tables), {
        ...HERE,
        written: replica.batch(tables, written?.number),
        retrying: { onTrouble: () => {}, isStopping: () => false },
        observe: () => {},
        encodeEvents: (group) => eventRows(group, origin),
        turn: async () => {},
        times: notHere,
        encode: notHere,
        commit: async (batch) => {
          made = batch
        },
      })
      await pause()
      return { ...made!, groups: [] }
    },
  }
}

function notHere(): never {
  throw new Error('not in this thread')
}
