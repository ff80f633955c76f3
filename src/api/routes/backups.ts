import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { RunningBackup } from '../../engine/backup/backups.ts'
import type { Engine } from '../../engine/engine.ts'
import { messageOf, Refused, StorageError } from '../../util/errors.ts'
import { ApiError, failures } from '../errors.ts'
import { exactAnswer } from '../exact-json.ts'
import { createRouter } from '../router.ts'

/** How often a line reports progress: often enough for proxies not to cut the connection. */
const REPORT_MS = 1000

/** The library only derives the type of a response from the media type of JSON. */
const NDJSON = 'application/x-ndjson' as 'application/json'

export const backupLine = z.discriminatedUnion('state', [
  z.object({ state: z.literal('copying'), files: z.int(), bytes: z.int() }),
  z.object({
    state: z.literal('done'),
    folder: z.string(),
    created_time: z.string().describe('RFC 3339: everything acknowledged before is part of the backup.'),
    files: z.int(),
    bytes: z.int(),
    pause_ms: z.int().describe('How long no rows moved from the state to the lake.'),
    token: z.boolean().describe("Whether the API's token is part of it."),
  }),
  z.object({ state: z.literal('failed'), message: z.string().describe('What went wrong. Nothing is left of the backup.') }),
])

type Line = z.output<typeof backupLine>

const add = createRoute({
  method: 'post',
  path: '/api/v1/backups',
  summary: 'Backs up the data folder while Caracal runs. The answer ends when the backup does; closing the connection ends both.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            folder: z
              .string()
              .min(1)
              .max(4000)
              .regex(/^[^\0]*$/)
              .describe('Absolute path of a new or empty folder on the machine that Caracal runs on.'),
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'Its progress, one JSON object per line; the last line is `done` or `failed`.',
      content: { [NDJSON]: { schema: backupLine } },
    },
    ...failures(400, 409, 503),
  },
})

export function backupRoutes(engine: Engine) {
  return createRouter().openapi(add, async (c) => {
    const ending = new AbortController()
    c.req.raw.signal.addEventListener('abort', () => ending.abort(new Refused('the caller has left')))
    const running = await engine.backUp(c.req.valid('json').folder, ending.signal).catch((error: unknown) => {
      // The message names the caller's folder, which is no secret.
      if (error instanceof Refused) throw new ApiError(409, 'conflict', error.message)
      if (error instanceof StorageError) throw new ApiError(503, error.code, error.message)
      throw error
    })
    const answer = exactAnswer<Line, 200>(lines(running, ending), 200)
    answer.headers.set('content-type', NDJSON)
    return answer
  })
}

function lines({ progress, done }: RunningBackup, ending: AbortController): ReadableStream<Uint8Array> {
  const over = done.then(
    ({ createdMs, pauseMs, ...finished }): Line => ({
      state: 'done',
      created_time: new Date(createdMs).toISOString(),
      pause_ms: pauseMs,
      ...finished,
    }),
    (error): Line => ({ state: 'failed', message: messageOf(error) }),
  )
  return new ReadableStream({
    async pull(controller) {
      let timer: NodeJS.Timeout | undefined
      const due = new Promise<Line>((resolve) => {
        timer = setTimeout(() => resolve({ state: 'copying', ...progress() }), REPORT_MS)
      })
      const line = await Promise.race([over, due])
      clearTimeout(timer)
      controller.enqueue(Buffer.from(`${JSON.stringify(line)}\n`))
      if (line.state !== 'copying') controller.close()
    },
    cancel: () => ending.abort(new Refused('the caller has left')),
  })
}
