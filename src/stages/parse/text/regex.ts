import { RE2JS } from 're2js'
import { z } from 'zod'
import type { JsonObject } from '../../../model/json.ts'
import { messageOf } from '../../../util/errors.ts'
import { setOwn } from '../../../util/json.ts'
import { expandGrok } from './grok.ts'
import { textOptions, withOptions } from './text-options.ts'
import { defineTextParser, Miss, stateless } from './text-parser.ts'

/** Larger programs would be slow on every record: the engine's time is the length of the text times this. */
const MAX_PROGRAM = 20_000

const definitions = z.record(z.string().regex(/^\w+$/, 'a name of letters, digits and _'), z.string())

/** Expressions in RE2's syntax, whose time is linear in the length of the text, with grok's named patterns. */
export const regex = defineTextParser({
  type: 'regex',
  summary: 'One expression in RE2 syntax with named groups or grok patterns, such as `%{IP:client}`.',
  settings: z
    .strictObject({
      match: z
        .array(z.string())
        .min(1)
        .describe(
          'The parts of one expression, joined without anything between them. `(?P<name>…)` and `%{PATTERN:name}` are fields.',
        ),
      patternDefinitions: definitions.optional().describe('Patterns of your own, for use as `%{NAME}`; they may use each other.'),
      ...textOptions,
    })
    .superRefine((settings, context) => {
      const result = compileExpression(settings)
      if (typeof result === 'string') context.addIssue({ code: 'custom', path: ['match'], message: result })
    }),
  example: {
    settings: {
      match: ['^%{IP:client} %{WORD:method} ', '(?P<path>[^ ?]*)(?:%{QUERY:query})?', '(?: took %{TOOK:ms})?$'],
      patternDefinitions: { QUERY: '\\?%{NOTSPACE}', TOOK: '%{NUMBER}' },
    },
    texts: ['192.0.2.7 GET /a?b=1 took 1.5', '2001:db8::1 POST /c'],
    records: [
      { client: '192.0.2.7', method: 'GET', path: '/a', query: '?b=1', ms: '1.5' },
      { client: '2001:db8::1', method: 'POST', path: '/c' },
    ],
  },
  create(settings) {
    const expression = compileExpression(settings)
    if (typeof expression === 'string') throw new Error(expression)
    const { program, fields } = expression
    const miss = new Miss('no_match', 'its expression does not match')
    return withOptions(
      settings,
      stateless((text) => {
        const matcher = program.matcher(text)
        if (!matcher.find()) return miss
        const raw: JsonObject = {}
        for (const { name, group } of fields) {
          const value = matcher.group(group)
          if (value !== null && value !== undefined && !Object.hasOwn(raw, name)) setOwn(raw, name, value)
        }
        return raw
      }),
    )
  },
})

interface Expression {
  readonly program: RE2JS
  /** Groups with names; if several have the same, the first that took part is used. */
  readonly fields: readonly { readonly name: string; readonly group: number }[]
}

/** The compiled expression, or a sentence on what is wrong with it. */
function compileExpression({
  match,
  patternDefinitions = {},
}: {
  readonly match: readonly string[]
  readonly patternDefinitions?: Readonly<Record<string, string>> | undefined
}): Expression | string {
  const expanded = expandGrok(match.join(''), patternDefinitions)
  if (typeof expanded === 'string') return expanded
  try {
    const program = RE2JS.compile(expanded.pattern)
    if (program.programSize() > MAX_PROGRAM)
      return `the expression is too large (${program.programSize()} steps, at most ${MAX_PROGRAM}): shorten its repetitions`
    const fields = Object.entries(program.namedGroups())
      .map(([name, group]) => ({ name: expanded.fields.get(name) ?? name, group }))
      .sort((a, b) => a.group - b.group)
    if (fields.length === 0) return 'the expression has no fields: name at least one, as in `(?P<name>…)` or `%{WORD:name}`'
    return { program, fields }
  } catch (error) {
    return `${messageOf(error)} (RE2 syntax: there are no lookarounds and no references to earlier groups)`
  }
}
