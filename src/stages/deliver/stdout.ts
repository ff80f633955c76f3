import { z } from 'zod'
import { printable } from '../../util/terminal.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { isFollowUp } from './text.ts'
import { webhookBody } from './webhook-body.ts'

/** One line per alert: text for people, or the webhook body as JSON for programs. */
export const stdout = defineDestination({
  type: 'stdout',
  summary: 'Prints each alert as a line.',
  config: z.object({
    ...destinationBase,
    format: z
      .enum(['text', 'json'])
      .default('text')
      .describe('`text` for people; `json` for programs: one webhook body per line.'),
  }),
  example: { id: 'terminal' },
  isLocal: true,

  async create({ format }, { write }) {
    return {
      async send({ kind, alert }) {
        if (format === 'json') write(`${escaped(webhookBody(alert, kind))}\n`)
        else write(`${alert.severity.padEnd(9)} ${isFollowUp(kind) ? `${kind}: ` : ''}${printable(alert.title)}\n`)
      },
      async close() {},
    }
  },
})

/** Escapes all control and format characters in JSON text. JSON itself leaves most of them unescaped, and a terminal would act on them. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => {
    let text = ''
    for (let i = 0; i < char.length; i++) text += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`
    return text
  })
}
