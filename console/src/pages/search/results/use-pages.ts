import { useEffect, useReducer, useRef } from 'react'
import type { PageStore } from './page-store.ts'

/** Follows a store: the number that is returned is another one after each change. */
export function usePages<Row>(store: PageStore<Row>, onError: (error: unknown) => void): number {
  const [version, changed] = useReducer((n: number) => n + 1, 0)
  const report = useRef(onError)
  report.current = onError
  useEffect(() => {
    store.onChange = changed
    store.onError = (error) => report.current(error)
    return () => store.stop()
  }, [store])
  return version
}
