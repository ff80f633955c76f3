import { z } from 'zod'
import type { ParserSpec } from '../../../model/schema.ts'
import { ConfigError } from '../../../util/errors.ts'
import { csv } from './csv.ts'
import { fastmatch } from './fastmatch.ts'
import { native } from './native.ts'
import { regex } from './regex.ts'
import { script } from './script.ts'
import type { TextParser, TextParserKind } from './text-parser.ts'

/** Kinds of parsers that a schema can name under `parser`. A new one is one file in this folder and one name here. */
export const textParsers: readonly TextParserKind[] = [csv, fastmatch, regex, script, native]

/** The YAML under a schema's `parser`, in full. */
export const parserDocument = z
  .strictObject(Object.fromEntries(textParsers.map(({ type, settings }) => [type, settings.optional()])))
  .refine((parser) => Object.keys(parser).length === 1, { error: 'a schema has one parser: keep one of these keys' })

const compiled = new WeakMap<ParserSpec, TextParser>()

/**
 * The parser of a schema, compiled once.
 *
 * Throws `ConfigError` with the path of the first mistake.
 */
export function textParser(spec: ParserSpec, where: { readonly file?: string } = {}): TextParser {
  const known = compiled.get(spec)
  if (known) return known
  const kind = textParsers.find(({ type }) => type === spec.type)
  if (!kind)
    throw new ConfigError(
      `unknown parser '${spec.type}': use one of ${textParsers.map(({ type }) => type).join(', ')}, or none for JSON`,
      { ...where, path: 'parser' },
    )
  const result = kind.settings.safeParse(spec.settings)
  if (!result.success) {
    const [issue] = result.error.issues
    throw new ConfigError(issue!.message, { ...where, path: ['parser', spec.type, ...issue!.path].join('.') })
  }
  const parser = kind.create(result.data)
  compiled.set(spec, parser)
  return parser
}
