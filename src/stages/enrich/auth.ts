import { z } from 'zod'
import { type ApiKeys, keyWithUser } from './api-keys.ts'

/** Headers that decide who receives a request or where it ends: with `Host`, a shared server would pass a key on to another site. */
const OF_THE_CONNECTION = /^(?:host|connection|keep-alive|upgrade|te|trailer|transfer-encoding|content-length|expect|proxy-.*)$/i

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]{1,200}$/, 'not the name of a header')
  .refine((name) => !OF_THE_CONNECTION.test(name), 'this header belongs to the connection and cannot be set')

/** Request headers without secrets. */
export const headersSchema = z.record(headerName, z.string()).default({}).describe('Extra request headers, without secrets.')

/** How a request carries a key. */
export const authSchema = z
  .strictObject({
    key: z.string().min(1).max(64).describe('Name of a key in the configuration (`keys`).'),
    header: headerName.optional().describe('Header that contains the key.'),
    query: z.string().min(1).max(100).optional().describe('Query parameter that contains the key.'),
    scheme: z
      .string()
      .regex(/^[A-Za-z][\w-]{0,30}$/)
      .optional()
      .describe("Scheme of the header Authorization; `Basic` also sends the key's user. Default: `Bearer`."),
  })
  .refine(
    ({ header, query, scheme }) => [header, query, scheme].filter((one) => one !== undefined).length <= 1,
    'a key is sent in one place: write only one of header, query and scheme',
  )

export type Auth = z.output<typeof authSchema>

interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** A request with its key. The URL may then contain the secret: messages must not show it. */
export function authorize({ url, headers }: Target, auth: Auth | undefined, keys: ApiKeys): Target {
  if (auth === undefined) return { url, headers }
  const isBasic = /^basic$/i.test(auth.scheme ?? '')
  const { user, secret } = isBasic ? keyWithUser(keys, auth.key, url, 'the user name or account id') : keys(auth.key, url)
  if (auth.query !== undefined) {
    const withKey = new URL(url)
    withKey.searchParams.set(auth.query, secret)
    return { url: withKey.href, headers }
  }
  const scheme = auth.scheme ?? 'Bearer'
  const name = auth.header ?? 'authorization'
  const value =
    auth.header !== undefined ? secret : `${scheme} ${isBasic ? Buffer.from(`${user}:${secret}`).toString('base64') : secret}`
  const others = Object.entries(headers).filter(([other]) => other.toLowerCase() !== name.toLowerCase())
  return { url, headers: { ...Object.fromEntries(others), [name]: value } }
}
