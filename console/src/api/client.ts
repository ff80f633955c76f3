import { type Answer, ApiProblem, type Client, createClient, type Item, type ListName } from '../../../src/client/client.ts'
import { attendedFetch } from './attended.ts'

export { type Answer, ApiProblem, type Item }

const client = createClient({ url: new URL('.', document.baseURI), fetch: attendedFetch })

/** Entries that one call reads. */
const PAGE = 500

type Listener = () => void
const listeners = new Set<Listener>()

/** Calls `listener` whenever a call was refused because nobody is signed in. Returns a function that stops it. */
export function onSignedOut(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Calls the API as the person who is signed in. Throws `ApiProblem`. */
export const call: Client['call'] = (name, ...ask) => watched(name, () => client.call(name, ...ask))

/** Every entry of a list that is never long. */
export function all<N extends ListName>(name: N, signal: AbortSignal): Promise<Item<N>[]> {
  return watched(name, async () => {
    const items: Item<N>[] = []
    // Every list takes these.
    const list = client.list as unknown as (name: N, ask: object) => AsyncGenerator<Item<N>>
    for await (const item of list(name, { query: { limit: PAGE }, signal })) items.push(item)
    return items
  })
}

async function watched<T>(name: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    const isOver = error instanceof ApiProblem && error.status === 401 && !name.includes('/sign-in')
    if (isOver) for (const listener of listeners) listener()
    throw error
  }
}
