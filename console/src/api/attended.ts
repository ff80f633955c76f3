/** What somebody at the screen does, as the browser reports it. */
const INPUT = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'] as const

/** A call is a person's as long after something that they did. */
const ATTENDED_MS = 60_000

let lastInputMs = Date.now()
for (const type of INPUT)
  addEventListener(
    type,
    () => {
      lastInputMs = Date.now()
    },
    { capture: true, passive: true },
  )

/**
 * Calls the API. If nobody has touched the page for a while, the call says so: pages read again by themselves as long as they are open, and
 * that must not keep a session from ending.
 */
export const attendedFetch: typeof fetch = (input, init) => {
  if (Date.now() - lastInputMs < ATTENDED_MS) return fetch(input, init)
  const headers = new Headers(init?.headers)
  headers.set('caracal-unattended', '1')
  return fetch(input, { ...init, headers })
}
