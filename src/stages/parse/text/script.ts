import { z } from 'zod'
import { isObject } from '../../../model/json.ts'
import { messageOf } from '../../../util/errors.ts'
import { compileScript } from './script/run.ts'
import { ScriptMistake } from './script/tokens.ts'
import { ScriptFailure, toJson } from './script/values.ts'
import { defineTextParser, Miss, stateless } from './text-parser.ts'

/** Scripts are for what patterns cannot say; they cost much more. */
export const script = defineTextParser({
  type: 'script',
  summary: 'A function `parse(log)` in a subset of Starlark that makes a dict of the text.',
  settings: z.strictObject({
    function: z
      .string()
      .min(1)
      .max(64 * 1024)
      .superRefine((source, context) => {
        const mistake = mistakeIn(source)
        if (mistake !== undefined) context.addIssue({ code: 'custom', message: mistake })
      })
      .describe('The script. `parse` gets the text and returns a dict that is not empty.'),
  }),
  example: {
    settings: {
      function: `def parse(log):
    fields = {}
    for part in log.split():
        name, sep, value = part.partition("=")
        if sep:
            fields[name] = int(value) if value.isdigit() else value
    return fields
`,
    },
    texts: ['door=front uses=12'],
    records: [{ door: 'front', uses: 12 }],
  },
  create({ function: source }) {
    const compiled = compileScript(source)
    return stateless((text) => {
      try {
        const record = toJson(compiled.call('parse', [text]))
        if (isObject(record) && Object.keys(record).length > 0) return record
        return new Miss('script_error', 'its script returned something that is not a dict with fields')
      } catch (error) {
        if (error instanceof ScriptFailure) return new Miss('script_error', `its script failed: ${error.message}`)
        if (error instanceof RangeError) return new Miss('script_error', 'its script is nested too deep')
        throw error
      }
    })
  },
})

function mistakeIn(source: string): string | undefined {
  try {
    return compileScript(source).has('parse') ? undefined : 'the script needs a function `parse(log)`'
  } catch (error) {
    return error instanceof ScriptMistake ? `line ${error.line}: ${error.message}` : messageOf(error)
  }
}
