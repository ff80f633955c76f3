import { useEffect, useRef } from 'react'

/** What a key does, by its name (`j`, `/`, `Enter`). */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** Keys of a page. They do nothing while somebody types, in a dialog, or together with Ctrl, Alt or Meta. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return
      const act = Object.hasOwn(current.current, event.key) ? current.current[event.key] : undefined
      if (!act) return
      event.preventDefault()
      act(event)
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.isContentEditable || target.matches('input, textarea, select') || target.closest('[role=dialog], [role=menu]') !== null
  )
}
