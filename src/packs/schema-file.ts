import { readSchemaDocument, schemaDocument } from '../stages/normalise/document.ts'
import { parserDocument, textParser } from '../stages/parse/text/index.ts'

/** The YAML of a schema file, with the settings of every kind of parser. */
export const schemaFile = schemaDocument.extend({
  parser: parserDocument.optional().describe('How the text of records is read. Without it, records are JSON objects.'),
})

/**
 * Checks a schema file: its fields and its parser.
 *
 * Throws `ConfigError` with the file and the path of the first mistake.
 */
export function readSchemaFile(document: unknown, where: { readonly file: string }): void {
  const { parser } = readSchemaDocument(document, where)
  if (parser) textParser(parser, where)
}
