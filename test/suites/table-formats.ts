import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { JsonObject } from '../../src/model/json.ts'
import type { Format, ReadRow } from '../../src/stages/enrich/formats/format.ts'
import { formats } from '../../src/stages/enrich/formats/index.ts'
import { TableError } from '../../src/stages/enrich/table.ts'
import { fuzzRuns } from '../support/fuzz.ts'
import type { Behaviour, Suite } from './behaviours.ts'

/** A format with content to read. */
export interface TableFormat {
  readonly format: Format
  /** Content for one key each; joined they are the content for all of them. */
  readonly contentOf: (keys: readonly string[]) => string
}

const contents: Readonly<Record<string, TableFormat['contentOf']>> = {
  csv: (keys) => `ip,note\n${keys.map((key) => `${key},"a ""quoted"", note"\n`).join('')}`,
  jsonl: (keys) => keys.map((ip) => `${JSON.stringify({ ip, count: 1 })}\n`).join(''),
  parquet: (keys) => keys.map((ip) => `${JSON.stringify({ ip, count: 1 })}\n`).join(''),
  json: (keys) => JSON.stringify(keys.map((ip) => ({ ip, tags: ['a'] }))),
  list: (keys) => `# a list\n${keys.map((key) => `${key} ; note\n`).join('')}`,
  hosts: (keys) => `127.0.0.1 localhost\n${keys.map((key) => `0.0.0.0 ${key} # note\n`).join('')}`,
  misp: (keys) => JSON.stringify({ name: 'A list', type: 'string', version: 1, list: keys }),
  stix: (keys) =>
    JSON.stringify({
      type: 'bundle',
      objects: keys.map((key, i) => ({
        type: 'indicator',
        id: `indicator--${i}`,
        pattern: `[ipv4-addr:value = '${key}']`,
        pattern_type: 'stix',
      })),
    }),
  tor: (keys) => keys.map((key) => `ExitNode 00\nPublished x\nLastStatus x\nExitAddress ${key} 2024-03-12 08:10:51\n`).join(''),
  threatfox: (keys) =>
    JSON.stringify(Object.fromEntries(keys.map((key, i) => [String(i), [{ ioc_value: `${key}:443`, ioc_type: 'ip:port' }]]))),
  greynoise: (keys) => JSON.stringify(keys.map((ip) => ({ ip, noise: true, riot: false, code: '0x01' }))),
}

/** Everything that the format reads, in order. */
async function readAll(format: Format, text: string): Promise<ReadRow[]> {
  const read: ReadRow[] = []
  for await (const batch of format.read(text, { primaryKey: 'ip' })) read.push(...batch)
  return read
}

function keysOf(read: readonly ReadRow[]): unknown[] {
  return read.filter((row): row is JsonObject => typeof row !== 'string').map((row) => row['ip'])
}

const KEYS = ['192.0.2.1', '198.51.100.7', '203.0.113.9']
const MANY = Array.from({ length: 1700 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)

const behaviours: readonly Behaviour<TableFormat>[] = [
  {
    name: 'reads each key once, in order, under the primary key',
    async check({ format, contentOf }) {
      assert.deepEqual(keysOf(await readAll(format, contentOf(KEYS))), KEYS)
    },
  },
  {
    name: 'reads a long content whole, in batches of no more than some hundred rows',
    async check({ format, contentOf }) {
      const read: ReadRow[] = []
      for await (const batch of format.read(contentOf(MANY), { primaryKey: 'ip' })) {
        assert.ok(batch.length <= 1000, `a batch has ${batch.length} rows`)
        read.push(...batch)
      }
      assert.deepEqual(keysOf(read), MANY)
    },
  },
  {
    name: 'reads lines that end as on Windows the same',
    async check({ format, contentOf }) {
      const text = contentOf(KEYS)
      assert.deepEqual(await readAll(format, text.replaceAll('\n', '\r\n')), await readAll(format, text))
    },
  },
  {
    name: 'says of a damaged content what is wrong, in sentences, and never throws anything else',
    async check({ format, contentOf }) {
      const text = contentOf(KEYS)
      const damaged = fc.tuple(fc.nat(text.length), fc.nat(text.length), fc.string({ unit: 'binary', maxLength: 8 }))
      await fc.assert(
        fc.asyncProperty(damaged, async ([from, to, more]) => {
          try {
            for (const row of await readAll(format, text.slice(0, from) + more + text.slice(to))) {
              if (typeof row === 'string') assert.match(row, /\w+ \w+/)
              else assert.equal(Object.getPrototypeOf(row), Object.prototype)
            }
          } catch (error) {
            assert.ok(error instanceof TableError, `it throws ${String(error)}`)
            assert.match(error.message, /\w+ \w+/)
          }
        }),
        { numRuns: fuzzRuns(200), seed: 11 },
      )
    },
  },
  {
    name: 'lets no name of a column reach a prototype',
    async check({ format, contentOf }) {
      const text = contentOf(KEYS).replace(/note|count|tags|code/, '__proto__')
      await readAll(format, text).catch((error: unknown) => assert.ok(error instanceof TableError))
      assert.equal(({} as Record<string, unknown>)['a "quoted", note'], undefined)
      assert.deepEqual(Object.keys(Object.prototype), [])
    },
  },
]

/** Behaviours required of every format of table content. */
export const tableFormatSuite: Suite<Format, TableFormat> = {
  kind: 'table format',
  registry: formats,
  subjectOf(format) {
    const contentOf = contents[format.type]
    if (!contentOf) throw new Error(`add content of the table format '${format.type}' here`)
    return { format, contentOf }
  },
  behaviours,
}
