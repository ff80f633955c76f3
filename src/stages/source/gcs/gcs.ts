import { z } from 'zod'
import { targetUrl } from '../../../util/http/target-url.ts'
import { secretReference } from '../../../util/secret.ts'
import { listedObjects } from '../objects/listed-objects.ts'
import { objectKeys } from '../objects/prefixes.ts'
import { serviceAccountToken } from '../service-account.ts'
import { defineSource, sourceBase } from '../source.ts'
import { streamKeys } from '../stream-keys.ts'
import { GcsStore } from './gcs-store.ts'

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only'

/** Objects of a bucket of Google Cloud Storage, found by listing it. */
export const gcs = defineSource({
  type: 'gcs',
  summary: 'Reads objects from Google Cloud Storage as they appear, each prefix with its own log types.',
  config: z.object({
    ...sourceBase,
    ...streamKeys,
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'the name of a bucket')
      .describe('The bucket.'),
    service_account_key: secretReference
      .optional()
      .describe('Key of a service account: the JSON file that Google Cloud creates. Default: requests carry no credentials.'),
    endpoint: targetUrl.optional().describe('URL of an emulator. Default: Google.'),
    ...objectKeys,
  }),
  example: {
    id: 'bucket',
    bucket: 'example-logs',
    service_account_key: { file: '/etc/caracal/gcs-key.json' },
    prefixes: [{ prefix: 'zeek/', log_types: ['Zeek.Conn'] }],
  },
  seekable(config, deps) {
    const { bucket, endpoint, service_account_key: key } = config
    const { outside } = deps
    const token = key && serviceAccountToken(outside, () => outside.secret(key), { scopes: [SCOPE] })
    return listedObjects(new GcsStore({ bucket, endpoint, token, send: outside.send }), config, deps)
  },
})
