import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { ConfigError } from '../../util/errors.ts'
import { readSignInKey, signInKey, writeSignInKey } from './sign-in-key.ts'

/** Key in `meta`: the sign-in key, encrypted. */
export const SHARED_KEY = 'sign_in_key'
const CIPHER = 'aes-256-gcm'

export interface SharedKeyDeps {
  readonly dataDir: string
  /** The password of the state's database, which a copy of the state does not have; '' if it has none. */
  readonly password: string
  readonly getMeta: (key: string) => Promise<string | undefined>
  readonly setMeta: (key: string, value: string) => Promise<void>
}

/**
 * The key that signs cookies and encrypts second factors, the same on every node: people stay signed in when another one takes over. It is in
 * the state, encrypted with a key that follows from the password of the database, and in the data folder of each node that has been active.
 *
 * @throws {ConfigError} if the password has changed and this node does not have the key.
 */
export async function sharedSignInKey({ dataDir, password, getMeta, setMeta }: SharedKeyDeps): Promise<string> {
  const shared = await getMeta(SHARED_KEY)
  const key = openedKey(shared, password)
  if (key !== undefined) {
    if (readSignInKey(dataDir) !== key) writeSignInKey(dataDir, key)
    return key
  }
  const own = shared === undefined ? signInKey(dataDir) : readSignInKey(dataDir)
  if (own === undefined)
    throw new ConfigError(
      "the key of people's sign-in in the state was encrypted with an earlier password of the database. Copy the file `sign-in-key` from the data folder of the node that was active last into this one's",
      { path: 'state.password' },
    )
  await setMeta(SHARED_KEY, sealed(own, password))
  return own
}

/** The key as another node has stored it; `undefined` if none has, or if it was encrypted with another password. */
export function openedKey(shared: string | undefined, password: string): string | undefined {
  return shared === undefined ? undefined : opened(shared, password)
}

function sealed(key: string, password: string): string {
  const salt = randomBytes(16)
  const iv = randomBytes(12)
  const cipher = createCipheriv(CIPHER, scryptSync(password, salt, 32), iv)
  const text = Buffer.concat([cipher.update(key, 'utf8'), cipher.final()])
  return [salt, iv, cipher.getAuthTag(), text].map((part) => part.toString('base64url')).join('.')
}

/** `undefined` if it was sealed with another password. */
function opened(text: string, password: string): string | undefined {
  const [salt, iv, tag, sealedKey] = text.split('.').map((part) => Buffer.from(part, 'base64url'))
  if (!salt || !iv || tag?.length !== 16 || !sealedKey) return undefined
  try {
    const decipher = createDecipheriv(CIPHER, scryptSync(password, salt, 32), iv, { authTagLength: 16 })
    decipher.setAuthTag(tag)
    return Buffer.concat([decipher.update(sealedKey), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
