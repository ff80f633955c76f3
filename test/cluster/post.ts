import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from './world.ts'

/** Longer than any request takes, shorter than a stop: senders do not wait longer either. */
const ANSWER_MS = 10_000

/** What may be done with the answer of a node that receives: the body was taken, can be sent again, or may have been taken. */
export type Answer = 'taken' | 'again' | 'unsure'

/** Posts once to a source of a node that may be killed or stopped. */
export async function tryToPost(port: number, token: string, source: string, body: string): Promise<Answer> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/ingest/${source}`, {
      ...{ method: 'POST', headers: { authorization: `Bearer ${token}` }, body },
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const { code } = (await answer.json().catch(() => ({}))) as { code?: string }
    if (answer.ok) return 'taken'
    return code === 'standby' || code === 'starting' ? 'again' : 'unsure'
  } catch (error) {
    return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED' ? 'again' : 'unsure'
  }
}

/** Posts to a source of a node that is not disturbed, as soon as the spool has room. */
export async function post(world: World, to: string, source: string, body: string): Promise<void> {
  const url = `http://127.0.0.1:${world.port(to)}/ingest/${source}`
  const headers = { authorization: `Bearer ${world.token}` }
  for (;;) {
    const answer = await fetch(url, { method: 'POST', headers, body })
    if (answer.ok) return
    if (answer.status !== 429) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
    await sleep(100)
  }
}
