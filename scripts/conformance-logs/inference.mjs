import { join } from 'node:path'
import { globSync } from 'tinyglobby'
import { inferSchema } from '../../dist/packs/infer/infer.js'
import { parseWith } from '../../dist/packs/infer/parse-with.js'
import { readSample, textsOf } from '../../dist/packs/infer/sample.js'
import { fileChunks } from '../../dist/stages/source/file-chunks.js'

/** Lists and tables, which are not logs: their keys are data. */
const TABLES = ['geo/**', 'threat-intel/**', 'lookup-tables/**']
const place = 'feedfacefeedface'
const MAX_RECORD = 10 * 1024 * 1024

/** A sample of these records, one in a line. */
function sampleOf(records) {
  const bytes = Buffer.from(records.map((text) => `${text.replaceAll('\n', ' ')}\n`).join(''))
  return { chunks: [{ bytes, place, offset: 0, context: '', final: true, faults: [] }], isCut: false }
}

/** The JSON objects of a file, or none if it has anything else. */
async function objectsOf(file) {
  const { chunks } = await readSample([fileChunks(file, { sourceId: 'half', maxRecordBytes: MAX_RECORD, tell: () => {} })])
  const texts = chunks.flatMap((chunk) => [...textsOf(chunk)])
  return texts.length > 0 && texts.every(isObject) ? texts : []
}

function isObject(text) {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Every file of JSON objects: a schema inferred from one half of the records reads the other half. */
export const inference = {
  name: 'inference',
  sets: [],
  async check(folder, report) {
    const files = globSync('**/*{.json,.jsonl,.ndjson,.log}*', { cwd: folder, ignore: TABLES }).sort()
    let halves = 0
    let records = 0
    for (const file of files) {
      const texts = await objectsOf(join(folder, file)).catch(() => [])
      if (texts.length < 2) continue
      for (const odd of [0, 1]) {
        const mine = texts.filter((_, i) => i % 2 === odd)
        const other = texts.filter((_, i) => i % 2 !== odd)
        const { schema } = inferSchema(sampleOf(mine), 'Custom.Half')
        const { deadLetters } = parseWith(schema, sampleOf(other))
        halves++
        records += other.length
        if (deadLetters.length > 0)
          report(false, `${file}: ${deadLetters.length} of ${other.length} records of the other half: ${deadLetters[0].message}`)
      }
    }
    report(halves > 0, `${halves} halves of files, ${records} records, each read with the schema of the other half`)
  },
}
