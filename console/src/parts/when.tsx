import { useSyncExternalStore } from 'react'
import { age, localTime, utcTime } from './time.ts'

const TICK_MS = 10_000
let now = Date.now()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const one of listeners) one()
  }, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

interface WhenProps {
  readonly time: string
  /** `age`: how long ago; `local`: date and time in the viewer's zone. */
  readonly as?: 'age' | 'local'
}

/** A time, with UTC and the local time on hover. */
export function When({ time, as = 'local' }: WhenProps) {
  const current = useSyncExternalStore(subscribe, () => now)
  const text = as === 'local' ? localTime(time) : age(Math.max(0, current - Date.parse(time)))
  return (
    <time dateTime={time} title={`${localTime(time)}\n${utcTime(time)}`}>
      {text}
    </time>
  )
}
