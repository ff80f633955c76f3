import { z } from 'zod'
import { targetUrl } from '../../../util/http/target-url.ts'
import { secretReference } from '../../../util/secret.ts'

const slug = z.string().regex(/^[\w-]{1,100}$/, 'letters, digits, - and _')
const items = z
  .array(z.string().regex(/^[\w.-]{1,60}$/, 'letters, digits, . - and _'))
  .min(1)
  .max(50)

/** Parameters of presets: each preset has some of them. Their values are put into URLs, so they contain nothing that means something there. */
export const parameterShape = {
  endpoint: targetUrl.optional().describe('With a `preset`: URL of the API, if it is another one than usual.'),
  login_endpoint: targetUrl.optional().describe('With a `preset`: URL of the token server, if it is another one than usual.'),
  domain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i, 'a host name, as in example.okta.com')
    .optional()
    .describe('Host name of the service, as in `example.okta.com`.'),
  token: secretReference.optional().describe('Token of the API.'),
  organisation: slug.optional().describe('Name of the organisation, as in its URL.'),
  enterprise: slug.optional().describe('Name of the enterprise, as in its URL.'),
  account: slug.optional().describe('Id of the account.'),
  tenant: z
    .string()
    .regex(/^[\w-]{1,63}(\.[\w-]{1,63})*$/, "a tenant's id or domain")
    .optional()
    .describe('Id of the tenant.'),
  client_id: z.union([slug, secretReference]).optional().describe('Id of the application.'),
  client_secret: secretReference.optional().describe('Secret of the application.'),
  service_account_key: secretReference.optional().describe('Key file of a Google service account, JSON.'),
  subject: z.email().optional().describe('Administrator for whom the service account acts.'),
  applications: items.optional().describe('Applications whose activities are read.'),
  content_types: items.optional().describe('Kinds of content that are read.'),
} as const

/** Their names. */
export const PARAMETERS = Object.keys(parameterShape) as readonly (keyof typeof parameterShape)[]
