import { z } from 'zod'
import { printable } from '../../util/terminal.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { printableJson } from './json-line.ts'
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
        if (format === 'json') write(`${printableJson(webhookBody(alert, kind))}\n`)
        else write(`${alert.severity.padEnd(9)} ${isFollowUp(kind) ? `${kind}: ` : ''}${printable(alert.title)}\n`)
      },
      async close() {},
    }
  },
})
