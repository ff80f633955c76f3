import { z } from 'zod'
import { defineSource, sourceBase } from '../source.ts'
import { parameterShape } from './parameters.ts'
import { planOf } from './plan.ts'
import { PollSource } from './poll-source.ts'
import { PRESETS } from './presets.ts'
import { Service } from './service.ts'
import { authShape, requestShape } from './spec.ts'

const config = z.object({
  ...sourceBase,
  preset: z
    .enum(PRESETS as [string, ...string[]])
    .optional()
    .describe(
      'A service that Caracal knows: requests and log types are given. Its parameters are keys of the source (docs/sources.md).',
    ),
  ...parameterShape,
  ...requestShape,
  url: requestShape.url
    .optional()
    .describe('Without a `preset`: URL of the list. `{since}` and `{until}` in it are replaced with the window of time.'),
  auth: authShape.optional().describe('Credentials. Default: none.'),
  poll_ms: z.int().min(100).max(86_400_000).default(60_000).describe('How long to wait between polls, in milliseconds.'),
  start_hours: z
    .int()
    .min(0)
    .max(24 * 3660)
    .optional()
    .describe('How far back the first poll goes, in hours. Default: 24, or what the preset says.'),
})

export type PollConfig = z.output<typeof config>

/** Services whose records have to be fetched from an API. */
export const poll = defineSource({
  type: 'poll',
  summary:
    'Polls the API of a service: Okta, GitHub, Google Workspace, Microsoft 365 and others by name, any other by its requests.',
  config,
  example: { id: 'okta', preset: 'okta', domain: 'example.okta.com', token: { env: 'OKTA_TOKEN' } },
  seekable(settings, deps) {
    const { id, poll_ms: pollMs } = settings
    const { auth, streams, startHours } = planOf(settings)
    const service = new Service(auth, deps.outside)
    return new PollSource({ id, streams, service, pollMs, startMs: startHours * 3_600_000, deps })
  },
})
