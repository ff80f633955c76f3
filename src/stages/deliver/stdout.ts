import { z } from 'zod'
import { printable } from '../../util/terminal.ts'
import { defineDestination, destinationBase } from './destination.ts'

/** A line an alert, for a person; or the webhook body as a JSON line, for a program. */
export const stdout = defineDestination({
  type: 'stdout',
  summary: 'Prints each alert as a line.',
  config: z.object({
    ...destinationBase,
    format: z
      .enum(['text', 'json'])
      .default('text')
      .describe('`text` for people, `json` for programs: the webhook body, one a line.'),
  }),
  example: { id: 'terminal' },

  async create({ format }, { write }) {
    return {
      async send({ body }) {
        if (format === 'json') return write(`${escaped(body)}\n`)
        const { severity, title } = JSON.parse(body) as { severity: string; title: string }
        write(`${severity.padEnd(9)} ${printable(title)}\n`)
      },
      async close() {},
    }
  },
})

/** JSON text with everything that a terminal may obey written as escapes: JSON itself leaves most of it as it is. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => {
    let text = ''
    for (let i = 0; i < char.length; i++) text += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`
    return text
  })
}
