import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildTable } from '../src/stages/enrich/build.ts'
import { defineTable } from '../src/stages/enrich/definition.ts'
import { imageOf } from '../src/stages/enrich/open.ts'
import type { Table } from '../src/stages/enrich/table.ts'
import { keyKinds } from '../src/stages/enrich/tables/index.ts'
import { packageRoot } from '../src/util/entry.ts'
import { stringifyJson } from '../src/util/json.ts'
import { type Fitting, fittingOf, slowest } from './suites/key-kinds.ts'

/** Versions of the table of each kind, and values that are looked up in each. */
const VERSIONS = 60
const VALUES = 220

/** What a look-up found: version and number of the row; -1 for none. */
type Found = readonly [version: number, row: number]

/** Reads the tables that the other thread builds, over and over until the next one arrives. */
const READER = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData).then(({ openTable }) => {
    parentPort.on('message', ({ image, values }) => {
      const table = openTable(image, undefined)
      const read = (value) => {
        const number = table.find(value)
        const row = number < 0 ? undefined : table.row(number).values
        return row ? [row.version, row.row] : [-1, -1]
      }
      const first = values.map(read)
      let changed = 0
      for (let n = 0; n < 3; n++) values.forEach((value, i) => { if (read(value)[1] !== first[i][1]) changed++ })
      parentPort.postMessage({ found: first, changed })
    })
    parentPort.postMessage('ready')
  })
`

let reader: Worker
const next = () => new Promise<unknown>((resolve, reject) => reader.once('message', resolve).once('error', reject))

beforeAll(async () => {
  const opener = pathToFileURL(join(packageRoot(), 'dist/stages/enrich/open.js')).href
  reader = new Worker(READER, { eval: true, workerData: opener })
  await next()
}, 60_000)
afterAll(() => reader.terminate())

/** A key as content can contain it: not empty, and without half a character. */
function isWritable(key: string): boolean {
  return key !== '' && key.isWellFormed()
}

function readHere(table: Table, value: string): Found {
  const number = table.find(value)
  if (number < 0) return [-1, -1]
  const { version, row } = table.row(number).values
  return [version as number, row as number]
}

test('100,000 random values find in every version of a table what a linear search finds, here and in another thread, while the table is replaced', async () => {
  expect(keyKinds.length * VERSIONS * VALUES).toBeGreaterThanOrEqual(100_000)
  let differences = 0
  let compared = 0
  const compare = (
    found: readonly Found[],
    keys: readonly string[],
    values: readonly string[],
    version: number,
    fitting: Fitting,
  ) => {
    for (const [i, value] of values.entries()) {
      const row = slowest(fitting, keys, value)
      const [ownVersion, ownRow] = found[i]!
      if (ownRow !== row || (row >= 0 && ownVersion !== version)) differences++
    }
  }
  for (const kind of keyKinds) {
    const fitting = fittingOf(kind)
    const isKey = (key: string) => isWritable(key) && fitting.canonical(key) !== undefined
    const lists = fc.sample(fc.array(fitting.key.filter(isKey), { minLength: 1, maxLength: 25 }), { numRuns: VERSIONS, seed: 77 })
    const values = fc.sample(fitting.value, { numRuns: VALUES, seed: 78 })
    const match = kind.type === 'registrable_domain' ? { PublicSuffix: true } : { Match: kind.type }
    const LogTypeMap = { PrimaryKey: 'key' }
    const definition = defineTable(
      { AnalysisType: 'lookup_table', LookupName: 't', Filename: 'x', LogTypeMap, ...match },
      { file: '/content/x.yml' },
    )
    let inForce: { readonly table: Table; readonly keys: readonly string[]; readonly version: number } | undefined
    let reading: Promise<void> = Promise.resolve()
    for (const [version, keys] of lists.entries()) {
      const rows = keys.map((key, row) => ({ key, version, row }))
      // Looked up in the version in force while the next one is built and the other thread reads the one before.
      const building = buildTable(definition, undefined, { bytes: Buffer.from(stringifyJson(rows)), fileName: 'x.json' })
      if (inForce) {
        const { table, keys: own, version: number } = inForce
        compare(
          values.map((value) => readHere(table, value)),
          own,
          values,
          number,
          fitting,
        )
      }
      const table = await building
      await reading
      inForce = { table, keys, version }
      const answer = next() as Promise<{ found: Found[]; changed: number }>
      reader.postMessage({ image: imageOf(table), values })
      reading = answer.then(({ found, changed }) => {
        compare(found, keys, values, version, fitting)
        differences += changed
        compared += values.length
      })
    }
    await reading
  }
  expect([differences, compared]).toEqual([0, keyKinds.length * VERSIONS * VALUES])
}, 600_000)
