import { z } from 'zod'
import { targetUrl } from '../../../util/http/target-url.ts'
import { secretReference } from '../../../util/secret.ts'
import { listedObjects } from '../objects/listed-objects.ts'
import { objectKeys } from '../objects/prefixes.ts'
import { defineSource, sourceBase } from '../source.ts'
import { streamKeys } from '../stream-keys.ts'
import { BlobStore } from './blob-store.ts'

/** Blobs of a container, found by listing it. */
export const azureBlob = defineSource({
  type: 'azure_blob',
  summary: 'Reads blobs from Azure Blob Storage as they appear, each prefix with its own log types.',
  config: z.object({
    ...sourceBase,
    ...streamKeys,
    account: z
      .string()
      .regex(/^[a-z0-9]{3,24}$/, 'the name of a storage account: 3 to 24 lower-case letters and digits')
      .describe('The storage account.'),
    container: z
      .string()
      .regex(/^(\$logs|[a-z0-9](?:-?[a-z0-9]){2,62})$/, 'the name of a container')
      .describe('The container.'),
    auth: z
      .union([
        z.strictObject({ account_key: secretReference.describe('Key of the account: requests are signed with it.') }),
        z.strictObject({ sas_token: secretReference.describe('Shared access signature with the permissions list and read.') }),
      ])
      .optional()
      .describe('Credentials: one of the two. Default: none, for a public container.'),
    endpoint: targetUrl.optional().describe('URL of the account in another cloud or at an emulator. Default: Azure.'),
    ...objectKeys,
  }),
  example: {
    id: 'container',
    account: 'examplelogs',
    container: 'logs',
    auth: { sas_token: { env: 'LOGS_SAS' } },
    prefixes: [{ prefix: 'zeek/', log_types: ['Zeek.Conn'] }],
  },
  seekable(config, deps) {
    const { account, container, endpoint, auth } = config
    return listedObjects(new BlobStore({ account, container, endpoint, auth, outside: deps.outside }), config, deps)
  },
})
