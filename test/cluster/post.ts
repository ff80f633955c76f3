import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from './world.ts'

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
