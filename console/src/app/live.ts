import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

/** Which answers are out of date after a piece of news. The list of alerts is not among them: it would jump under the pointer. */
const STALE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'alert.created': [
    ['alerts', 'counts'],
    ['alerts', 'newest'],
    ['alerts', 'related'],
  ],
  'alert.updated': [
    ['alerts', 'counts'],
    ['alerts', 'newest'],
    ['alerts', 'one'],
    ['alerts', 'timeline'],
  ],
  'alert.delivered': [['alerts', 'one'], ['alerts', 'timeline'], ['deliveries']],
  'source.silent': [['sources'], ['health']],
  'source.resumed': [['sources'], ['health']],
  'table.refreshed': [['tables']],
  'table.failing': [['tables'], ['health']],
  'table.recovered': [['tables'], ['health']],
  'rule.off': [['rules'], ['health']],
  'rule.on': [['rules'], ['health']],
  'content.swapped': [['rules'], ['tables'], ['sql-names']],
  'health.changed': [['health']],
}

/** A stream that the server, or a proxy before it, has refused is opened again after this. */
const REOPEN_MS = 5000

/**
 * Reads again what has changed on the server. If the stream is cut, it is opened again and continues where it was; until then the answer is
 * `true`, since what the page shows may be out of date. Hidden tabs have no stream, since browsers allow few connections to a server.
 */
export function useLive(client: QueryClient): boolean {
  const [isCut, setIsCut] = useState(false)
  useEffect(() => {
    let stream: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let wasCut = false
    const refresh = () => void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] !== 'list' })
    const close = () => {
      clearTimeout(timer)
      stream?.close()
      stream = undefined
    }
    const open = () => {
      close()
      const opened = listen(client)
      stream = opened
      opened.addEventListener('open', () => {
        // Answers that were asked for in the meantime failed.
        if (wasCut) refresh()
        wasCut = false
        setIsCut(false)
      })
      opened.addEventListener('error', () => {
        wasCut = true
        setIsCut(true)
        if (opened.readyState === EventSource.CLOSED) timer = setTimeout(open, REOPEN_MS)
      })
    }
    const change = () => {
      if (document.hidden) close()
      else {
        open()
        refresh()
      }
    }
    open()
    document.addEventListener('visibilitychange', change)
    return () => {
      document.removeEventListener('visibilitychange', change)
      close()
    }
  }, [client])
  return isCut
}

function listen(client: QueryClient): EventSource {
  const stream = new EventSource(new URL('api/v1/stream', document.baseURI))
  for (const [kind, keys] of Object.entries(STALE))
    stream.addEventListener(kind, () => {
      for (const queryKey of keys) void client.invalidateQueries({ queryKey: [...queryKey] })
    })
  stream.addEventListener('reset', () => void client.invalidateQueries())
  return stream
}
