import type { JsonObject } from '../../model/json.ts'
import type { CompiledSchema, ParserSpec } from '../../model/schema.ts'
import { compileSchema } from '../../stages/normalise/compile.ts'
import { HEADER } from '../../stages/parse/native/native.ts'
import { textParser } from '../../stages/parse/text/index.ts'
import { Miss } from '../../stages/parse/text/text-parser.ts'
import { ConfigError } from '../../util/errors.ts'
import { parseJson } from '../../util/json.ts'
import { DocumentWriter, schemaYaml } from './document.ts'
import { parseWith, type SampleResult } from './parse-with.ts'
import { type Sample, textsOf } from './sample.ts'
import { Shape } from './shape.ts'
import { textFormat } from './text-format.ts'

const MAX_DEPTH = 100
/** Number of texts that are not JSON from which the format is determined. */
const MAX_TEXTS = 500

export interface Inferred {
  /** The schema file. */
  readonly yaml: string
  readonly schema: CompiledSchema
  /** How records are read, in words. */
  readonly format: string
  /** What could not be decided, one sentence each. */
  readonly notes: readonly string[]
  /** What the schema makes of the sample. */
  readonly check: SampleResult
}

/**
 * A schema that reads the sample: JSON objects, or text in a format that is known.
 *
 * Throws `ConfigError` if the sample has no records, or they are in no known format.
 */
export function inferSchema(sample: Sample, logType: string): Inferred {
  const { parser, format } = formatOf(sample)
  const shape = new Shape({ isText: parser !== undefined })
  for (const record of records(sample, parser)) shape.add(record)
  if (shape.count === 0) throw new ConfigError('the sample has no record with fields')
  const writer = new DocumentWriter(shape.count)
  const document = writer.write(logType, parser, shape)
  if (document.fields.length === 0) throw new ConfigError('no record of the sample has a field with a value')
  const schema = compileSchema(document, { file: 'the inferred schema' })
  const cut = sample.isCut ? ['the sample is longer than 64 MiB: the rest was not read'] : []
  return {
    yaml: schemaYaml(document),
    schema,
    format,
    notes: [...writer.notes, ...cut],
    check: parseWith(schema, sample),
  }
}

/** What most of the records are. */
function formatOf(sample: Sample): { readonly parser: ParserSpec | undefined; readonly format: string } {
  const texts: string[] = []
  let objects = 0
  for (const chunk of sample.chunks)
    for (const text of textsOf(chunk)) {
      if (text.startsWith('{')) objects++
      else if (texts.length < MAX_TEXTS) texts.push(text)
      if (objects > MAX_TEXTS) break
    }
  if (objects > 0 && objects >= texts.length) return { parser: undefined, format: 'JSON' }
  if (texts.length === 0) throw new ConfigError('the sample has no records')
  if (texts.some((text) => text.startsWith('#separator ') || text.startsWith('#fields\t')))
    throw new ConfigError("this is a log in Zeek's own format, which needs no schema: its header names the fields")
  const found = textFormat(texts)
  if (!found)
    throw new ConfigError(
      `the format of the sample is not known; it is neither JSON, CSV with a header, keys and values nor a built-in format. Its first line: ${JSON.stringify(texts[0]!.slice(0, 120))}. Write a schema with \`parser: regex\` or \`fastmatch\` (docs/schemas.md), and check it with \`caracal schema parse\``,
    )
  return { parser: found.parser, format: found.name }
}

/** The values of the records that can be read. */
function* records(sample: Sample, parser: ParserSpec | undefined): Generator<JsonObject> {
  let reader = parser && textParser(parser).open('')
  for (const chunk of sample.chunks) {
    if (chunk.offset === 0) reader = parser && textParser(parser).open('')
    for (const text of textsOf(chunk)) {
      if (!reader || text.startsWith('{')) {
        const result = parseJson(text, { maxDepth: MAX_DEPTH })
        if (result.kind === 'ok' && typeof result.value === 'object' && result.value !== null && !Array.isArray(result.value))
          yield result.value as JsonObject
        continue
      }
      const record = reader.read(text)
      if (record !== HEADER && !(record instanceof Miss)) yield record
    }
  }
}
