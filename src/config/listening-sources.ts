import { sources } from '../stages/source/index.ts'
import type { ListenTerms } from '../stages/source/source.ts'
import { find } from '../util/define.ts'
import type { Config } from './config.ts'

/** The sources that take requests at `POST /ingest/<id>`: their ids, and what those who run the server must know of each. */
export function listeningSources(list: Config['sources']): ReadonlyMap<string, ListenTerms> {
  const found = new Map<string, ListenTerms>()
  for (const source of list) {
    const { listens } = find('source', sources, source.type)
    if (listens) found.set(source.id, listens(source as never))
  }
  return found
}
