import { z } from 'zod'
import { targetUrl } from '../../../util/http/target-url.ts'
import { contentKeys, tooLarge } from '../content.ts'
import { defineProvider } from '../provider.ts'
import { AnswerReader } from './answer-reader.ts'
import { answersPath } from './paths.ts'
import { serviceTypes } from './services/index.ts'

const limit = z.int().min(1).max(10_000_000)
const hours = z.number().min(0.01).max(8760)

/**
 * A table of the answers to single look-ups: `Askers` stores them, and this composes the rows. So a table that fills itself has versions,
 * differences and checks like any other.
 */
export const live = defineProvider({
  type: 'live',
  summary: 'Asks a service about the public addresses that occur in events, within limits.',
  config: z.object({
    service: z.enum(serviceTypes as [string, ...string[]]).describe('The service to ask.'),
    key: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("Name of a key in the configuration (`keys`). Default: the service's name, if it needs a key."),
    url: targetUrl.optional().describe('Its URL, if it is reached elsewhere than at its usual one.'),
    per_minute: limit
      .optional()
      .describe("Maximum number of addresses to ask for in a minute. Default: the service's free plan."),
    per_day: limit.optional().describe("Maximum number of addresses to ask for in a UTC day. Default: the service's free plan."),
    ttl_hours: hours.default(72).describe('How long an address stays in the table before it is asked for again.'),
    negative_ttl_hours: hours.default(24).describe('How long it is not asked for again if there was nothing to say about it.'),
    max_waiting: z.int().min(1).max(1_000_000).default(10_000).describe('Maximum number of addresses that wait to be asked for.'),
    max_bytes: contentKeys.max_bytes,
  }),
  example: { service: 'greynoise_community', per_day: 50 },
  // Asking is not part of a refresh.
  isLocal: true,
  isComposed: true,
  periodMinutes: 1,

  create({ service, max_bytes: maxBytes }, { dataFolder, table }) {
    const reader = new AnswerReader(answersPath(dataFolder, table), service)
    return {
      async refresh(validators, signal) {
        signal.throwIfAborted()
        await reader.update()
        if (validators['answers'] === reader.place) return undefined
        const lines = [...reader.log.answers.values()].flatMap(({ row }) => row ?? [])
        // Content is never empty, even without rows.
        const bytes = Buffer.from(`${lines.join('\n')}\n`)
        if (bytes.length > maxBytes) throw tooLarge(maxBytes)
        return { bytes, validators: { answers: reader.place } }
      },
    }
  },
})
