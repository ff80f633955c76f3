import { Readable } from 'node:stream'
import type { CompiledSchema } from '../../model/schema.ts'
import { inferSchema } from '../../packs/infer/infer.ts'
import { parseWith } from '../../packs/infer/parse-with.ts'
import { readSample, type Sample } from '../../packs/infer/sample.ts'
import { readSchemaFile } from '../../packs/schema-file.ts'
import { readSchemaTests, runSchemaTest } from '../../packs/schema-tests.ts'
import { compileSchema } from '../../stages/normalise/compile.ts'
import { streamChunks } from '../../stages/source/line-stream.ts'
import { ConfigError } from '../../util/errors.ts'
import { stringifyJson } from '../../util/json.ts'
import { documentOf } from './rule-text.ts'

/** Refused records and events that are shown. */
const MAX_SHOWN = 20
const MAX_RECORD_BYTES = 10 * 1024 * 1024

/** What to do with sample logs, as text. */
export type SampleAsk =
  | { readonly kind: 'infer'; readonly logType: string; readonly sample: string }
  | { readonly kind: 'test'; readonly yaml: string; readonly tests: string | undefined; readonly sample: string | undefined }

/** What a schema makes of a sample. */
export interface SampleReading {
  readonly received: number
  readonly refused: number
  /** The first refused records. */
  readonly refusals: readonly { readonly reason: string; readonly message: string }[]
  /** The first events, as JSON text. */
  readonly events: readonly string[]
  /** Fields that the schema does not have, and in how many events. */
  readonly unknownFields: Readonly<Record<string, number>>
}

export interface SampleAnswer {
  /** An inferred schema, how records are read, and what could not be decided. */
  readonly inferred: { readonly yaml: string; readonly format: string; readonly notes: readonly string[] } | undefined
  readonly reading: SampleReading | undefined
  /** Tests of the schema; `wrong` is empty for one that passes. */
  readonly tests: readonly { readonly name: string; readonly wrong: readonly string[] }[]
}

/** Infers a schema from a sample, or tries one out. Rejects with `ConfigError` if the sample, the schema or a test cannot be used. */
export async function readSamples(ask: SampleAsk): Promise<SampleAnswer> {
  if (ask.kind === 'infer') {
    const sample = await sampleOf(ask.sample)
    const { yaml, format, notes, schema } = inferSchema(sample, ask.logType)
    return { inferred: { yaml, format, notes }, reading: readingOf(schema, sample), tests: [] }
  }
  const schema = compiledSchema(ask.yaml)
  return {
    inferred: undefined,
    reading: ask.sample === undefined ? undefined : readingOf(schema, await sampleOf(ask.sample)),
    tests: ask.tests === undefined ? [] : testsOf(schema, ask.tests),
  }
}

/** Throws `ConfigError` or `Refused` if the text is not a usable schema. */
export function compiledSchema(yaml: string): CompiledSchema {
  const document = documentOf(yaml)
  const where = { file: 'the schema' }
  readSchemaFile(document, where)
  return compileSchema(document, where)
}

/** Runs the tests of a schema file. Throws `ConfigError` if they cannot be read. */
export function testsOf(schema: CompiledSchema, tests: string): SampleAnswer['tests'] {
  return readSchemaTests(tests, 'the tests').map((test) => ({ name: test.name, wrong: runSchemaTest(schema, test, 'the tests') }))
}

function readingOf(schema: CompiledSchema, sample: Sample): SampleReading {
  const { received, events, deadLetters, unknown } = parseWith(schema, sample)
  return {
    received,
    refused: deadLetters.length,
    refusals: deadLetters.slice(0, MAX_SHOWN).map(({ reason, message }) => ({ reason, message: message.toWellFormed() })),
    events: events.slice(0, MAX_SHOWN).map((event) => stringifyJson(event).toWellFormed()),
    unknownFields: Object.fromEntries([...unknown].slice(0, 1000)),
  }
}

async function sampleOf(text: string): Promise<Sample> {
  const stream = Readable.from([Buffer.from(text)])
  const tell = (problem: string) => {
    throw new ConfigError(`the sample cannot be read: ${problem}`)
  }
  return readSample([streamChunks(stream, { place: '0'.repeat(16), maxRecordBytes: MAX_RECORD_BYTES, tell })])
}
