import { sources } from '../stages/source/index.ts'
import type { ListenTerms } from '../stages/source/source.ts'
import { find } from '../util/define.ts'
import type { Config } from './config.ts'

/** The sources that accept requests at `POST /ingest/<id>`: their ids and what the server needs to know about each. */
export function listeningSources(list: Config['sources']): ReadonlyMap<string, ListenTerms> {
  const found = new Map<string, ListenTerms>()
  for (const source of list) {
    const { listens } = find('source', sources, source.type)
    if (listens) found.set(source.id, listens(source as never))
  }
  return found
}
