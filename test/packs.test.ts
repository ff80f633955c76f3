import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { JsonValue } from '../src/model/json.ts'
import { compileSchema } from '../src/stages/normalise/compile.ts'
import { createParser } from '../src/stages/parse/step.ts'
import { blocksOf } from '../src/util/block/encode.ts'
import { readBlock } from '../src/util/block/read.ts'
import { packageRoot } from '../src/util/entry.ts'
import { parseJson } from '../src/util/json.ts'

const packs = join(packageRoot(), 'packs')
const RECEIVED = Date.UTC(2024, 3, 19, 12)

/** JSON with exact integers, since a count may have 64 bits. */
function exactJson(text: string): JsonValue {
  const result = parseJson(text, { maxDepth: 32 })
  if (result.kind !== 'ok') throw new Error(result.message)
  return result.value
}

function listing(folder: string, extension: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => entry.name)
    .sort()
}

/** Packs with log types, which have samples with the expected events. (Schemas of lookup tables are tested with the tables.) */
const vendors = readdirSync(packs).filter((vendor) => {
  const folders = readdirSync(join(packs, vendor))
  return (
    folders.includes('schemas') &&
    folders.includes('samples') &&
    listing(join(packs, vendor, 'samples'), '.expected.ndjson').length > 0
  )
})

describe.each(vendors)('pack %s', (vendor) => {
  const files = listing(join(packs, vendor, 'schemas'), '.yml')
  const schemas = files.map((name) => {
    const file = join(packs, vendor, 'schemas', name)
    return compileSchema(parseYaml(readFileSync(file, 'utf8')), { file })
  })
  const samples = listing(join(packs, vendor, 'samples'), '.expected.ndjson').map((name) => name.replace('.expected.ndjson', ''))

  test.each(files)('schema %s has a sample', (name) => {
    expect(samples).toContain(name.replace('.yml', ''))
  })

  test('every log type and every table exists once', () => {
    expect(new Set(schemas.map(({ table }) => table)).size).toBe(schemas.length)
  })

  test.each(samples)('sample %s gives the expected events and rows', (name) => {
    const folder = join(packs, vendor, 'samples')
    const file = readdirSync(folder).find((other) => other === `${name}.log` || other === `${name}.ndjson`)!
    const bytes = readFileSync(join(folder, file))
    const chunk = { bytes, place: '0123456789abcdef', offset: 0, context: '', final: true, faults: [] } as const
    // A log type that is never guessed has to be named, as in production.
    const own = schemas[files.indexOf(`${name}.yml`)]
    const logType = own?.mayGuess === false ? own.name : undefined
    const source = { id: 'sample', label: 'Sample', schemas, isNamed: true, logType }
    const result = createParser({ maxRecordBytes: 65_536, maxDepth: 32 }).parse(chunk, source, RECEIVED)
    expect(result.deadLetters).toEqual([])
    const expected = readFileSync(join(folder, `${name}.expected.ndjson`), 'utf8')
      .trimEnd()
      .split('\n')
    const events = result.groups.flatMap((group) => group.events)
    expect(events).toEqual(expected.map(exactJson))
    for (const { schema, events: some } of result.groups) {
      const [block] = blocksOf(some, (all, out) => schema.encode(all, out, {}))
      expect(readBlock(schema.columns, block!.rows)).toHaveLength(some.length)
    }
  })
})

test('docs/packs.md lists every pack, whether it is optional, its tables, and what they need', () => {
  const page = readFileSync(join(packageRoot(), 'docs/packs.md'), 'utf8')
  for (const vendor of readdirSync(packs)) {
    const pack = parseYaml(readFileSync(join(packs, vendor, 'pack.yml'), 'utf8')) as { PackID: string; Enabled?: boolean }
    const line = page.split('\n').find((one) => one.startsWith(`| \`${pack.PackID}\``))
    expect(line, pack.PackID).toBeDefined()
    expect(line!.includes(', optional |')).toBe(pack.Enabled === false)
    const folder = join(packs, vendor, 'tables')
    const tables = readdirSync(packs, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.startsWith(`${vendor}/tables/`),
    )
    for (const file of tables.filter((name) => name.endsWith('.yml'))) {
      const { LookupName, Provider } = parseYaml(readFileSync(join(folder, file.split('/').at(-1)!), 'utf8')) as {
        LookupName: string
        Provider?: { type: string; path?: string; key?: string; auth?: { key: string } }
      }
      const needs = line!.split('|').at(-2)!
      expect(line).toContain(`\`${LookupName}\``)
      const key = Provider?.auth?.key ?? Provider?.key
      if (key !== undefined) expect(needs, LookupName).toContain(`the key \`${key}\``)
      else if (Provider?.type === 'file') expect(needs, LookupName).toContain(`\`${Provider.path}\``)
      else if (Provider) expect(needs, LookupName).toContain('the network')
    }
  }
})
