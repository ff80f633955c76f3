import { ApiProblem } from './problem.ts'

/** Waiting time before a connection is made again: doubled after each failure, up to the limit. */
const FIRST_WAIT_MS = 500
const MOST_WAIT_MS = 30_000

/** Events of a stream, over as many connections as it takes. Ends when `signal` aborts; throws what will not pass by itself. */
export async function* newsOf<T>(
  open: (lastId: string | undefined) => Promise<Response>,
  signal?: AbortSignal,
): AsyncGenerator<T | 'reset'> {
  let lastId: string | undefined
  let waitMs = FIRST_WAIT_MS
  while (!signal?.aborted) {
    try {
      const response = await open(lastId)
      for await (const { id, event, data } of eventsOf(response)) {
        waitMs = FIRST_WAIT_MS
        lastId = id ?? lastId
        if (event === 'reset') yield 'reset'
        else if (data !== '') yield JSON.parse(data) as T
      }
    } catch (error) {
      if (signal?.aborted) return
      if (error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error
      waitMs = Math.min(
        error instanceof ApiProblem && error.retryAfterMs !== undefined ? error.retryAfterMs : waitMs * 2,
        MOST_WAIT_MS,
      )
    }
    await pause(waitMs, signal)
  }
}

interface ServerEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/** The events of one answer, as the HTML standard reads `text/event-stream`. */
async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  const reader = response.body!.getReader()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += decoder.decode(value, { stream: true })
      const blocks = text.split(/\r?\n\r?\n/)
      text = blocks.pop()!
      for (const block of blocks) yield eventOf(block)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function eventOf(block: string): ServerEvent {
  let id: string | undefined
  let event = 'message'
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^(\w+):? ?(.*)$/.exec(line) ?? []
    if (field === 'id') id = value
    if (field === 'event') event = value!
    if (field === 'data') data.push(value!)
  }
  return { id, event, data: data.join('\n') }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
  })
}
