import { z } from 'zod'
import { targetUrl } from '../../../util/http/target-url.ts'
import { authSchema, headersSchema } from '../auth.ts'
import { contentKeys } from '../content.ts'
import { defineProvider } from '../provider.ts'
import { Collection } from './collection.ts'

/**
 * The indicators of a collection as one STIX bundle. A refresh first asks whether anything was added since the last one, and fetches the whole
 * collection only then: so indicators that the server has deleted or revoked disappear, too.
 */
export const taxii = defineProvider({
  type: 'taxii',
  summary: 'Fetches the indicators of a TAXII 2.1 collection, again whenever some were added.',
  config: z.object({
    url: targetUrl.describe('URL of the API root, as in https://taxii.example.com/api1/.'),
    collection: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'the id of a collection')
      .describe('Id of the collection.'),
    headers: headersSchema,
    auth: authSchema.optional().describe('A key to send with each request; servers mostly require `scheme: Basic`.'),
    page_size: z.int().min(1).max(10_000).default(1000).describe('Objects to request at a time; a server may send fewer.'),
    max_pages: z.int().min(1).max(10_000).default(1000).describe('Maximum number of pages.'),
    max_bytes: contentKeys.max_bytes,
    timeout_secs: z.int().min(1).max(3600).default(300).describe('Time limit for the whole fetch, in seconds.'),
  }),
  example: {
    url: 'https://taxii.example.com/api1/',
    collection: '91a7b528-80eb-42ed-a74d-c6fbd5a26116',
    auth: { key: 'taxii', scheme: 'Basic' },
  },
  isLocal: false,
  format: 'stix',
  periodMinutes: 60,

  create(config, { send, keys }) {
    return {
      async refresh(validators, signal) {
        const collection = new Collection({ ...config, send, keys, signal, endMs: Date.now() + config.timeout_secs * 1000 })
        const since = validators['added']
        if (since !== undefined && !(await collection.hasNewer(since))) return undefined
        const { bundle, added } = await collection.indicators()
        return { bytes: Buffer.from(bundle), validators: added === undefined ? {} : { added } }
      },
    }
  },
})
