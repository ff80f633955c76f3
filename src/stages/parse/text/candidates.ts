import type { CompiledSchema } from '../../../model/schema.ts'
import type { ParseSource } from '../parser.ts'
import { textParser } from './index.ts'
import type { TextParser } from './text-parser.ts'

/** A schema of the source that reads text. */
export interface TextCandidate {
  readonly schema: CompiledSchema
  readonly parser: TextParser
}

/**
 * The schemas whose parsers are offered a text, in the order in which the source names them. If it names none, only built-in
 * formats are tried, as a user's own pattern may fit anything.
 */
export function textCandidates({ schemas, isNamed, logType }: ParseSource): readonly TextCandidate[] {
  return schemas.flatMap((schema) => {
    const { parser } = schema
    if (!parser || (logType !== undefined && schema.name.toLowerCase() !== logType.toLowerCase())) return []
    return isNamed || logType !== undefined || (parser.type === 'native' && schema.mayGuess)
      ? [{ schema, parser: textParser(parser) }]
      : []
  })
}
