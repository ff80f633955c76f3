import { z } from 'zod'
import { type ApiKeys, KeyError } from '../stages/enrich/api-keys.ts'
import { messageOf } from '../util/errors.ts'
import { shownUrl } from '../util/http/send.ts'
import { secretReference } from '../util/secret.ts'
import { type Environment, resolveSecret } from './env.ts'

/** A host, `*.` before it for all names below; by default over https. */
const HOST = /^(?:[a-z]+:\/\/)?(?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

const hostSchema = z
  .string()
  .regex(HOST, 'a host, as in api.example.com, *.example.com or http://127.0.0.1:9000')
  .refine((text) => originOf(text) !== undefined, 'not a host')

/** The `keys` block: secrets that table definitions may refer to by name. */
export const keysSchema = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, - and _, at most 64'),
  z.strictObject({
    value: secretReference.describe('The secret. A file is read again at each refresh.'),
    user: z
      .union([z.string().min(1), secretReference])
      .optional()
      .describe('User name or account id that belongs to it, for services that need both.'),
    session: secretReference.optional().describe('Session token of temporary credentials for S3.'),
    hosts: z
      .array(hostSchema)
      .min(1)
      .describe(
        'Hosts that may receive it, over https: `api.example.com`, `*.example.com` for all names below, with the port if it is not 443. A host with another protocol is written in full: `http://127.0.0.1:9000`.',
      ),
  }),
)

export type KeysConfig = z.output<typeof keysSchema>

/** Looks up configured keys, reading secrets at each call. */
export function apiKeys(configured: KeysConfig, env: Environment): ApiKeys {
  return (name, url, userIs) => {
    const entry = Object.hasOwn(configured, name) ? configured[name] : undefined
    const { host, protocol } = new URL(url)
    const written = protocol === 'https:' ? host : shownUrl(url)
    if (entry === undefined)
      throw new KeyError(
        `it needs the key '${name}': add \`keys: { ${name}: { ${userIs === undefined ? '' : `user: "<${userIs}>", `}value: {env: ${variableOf(name)}}, hosts: ["${written}"] } }\` to caracal.yml and restart`,
      )
    if (!entry.hosts.some((allowed) => covers(allowed, url)))
      throw new KeyError(
        `the key '${name}' is not meant for ${shownUrl(url)}: if it is, add "${written}" to keys.${name}.hosts in caracal.yml and restart`,
      )
    try {
      const { value, user, session } = entry
      return {
        secret: resolveSecret(value, env),
        user: typeof user === 'object' ? resolveSecret(user, env) : user,
        ...(session && { session: resolveSecret(session, env) }),
      }
    } catch (error) {
      throw new KeyError(`the key '${name}' cannot be used: ${messageOf(error)}`, { cause: error })
    }
  }
}

function variableOf(name: string): string {
  const text = name.toUpperCase().replaceAll('-', '_')
  return text.includes('KEY') ? text : `${text}_KEY`
}

interface Origin {
  readonly protocol: string
  /** Lower case, with the port unless it is the protocol's own. */
  readonly host: string
}

function originOf(text: string | URL): Origin | undefined {
  const whole = typeof text !== 'string' || text.includes('://') ? text : `https://${text}`
  if (!URL.canParse(String(whole))) return undefined
  const { protocol, host } = new URL(whole)
  return { protocol, host: host.toLowerCase() }
}

function covers(allowed: string, url: string | URL): boolean {
  const [entry, target] = [originOf(allowed)!, originOf(url)!]
  if (entry.protocol !== target.protocol) return false
  return entry.host.startsWith('*.') ? target.host.endsWith(entry.host.slice(1)) : entry.host === target.host
}
