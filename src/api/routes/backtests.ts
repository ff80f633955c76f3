import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { failures } from '../errors.ts'
import { createRouter } from '../router.ts'
import { END_OF_TIME_MS, replaySchema, replayView } from './replays.ts'

/** Largest body: content repositories have thousands of small files. */
export const MAX_BACKTEST_BYTES = 16 * 1024 * 1024
const MAX_FILES = 10_000
const MAX_EVENTS = 100_000_000
const MAX_SECONDS = 24 * 3600

/** The longest name that file systems store. */
const MAX_NAME_BYTES = 255

/** A file of content, below the root: nothing hidden, nothing outside, no half of a surrogate pair, which no file system can store. */
const path = z
  .string()
  .max(500)
  .regex(
    /^(?:[^/\\\p{Cc}\p{Cs}.][^/\\\p{Cc}\p{Cs}]*\/){0,20}[^/\\\p{Cc}\p{Cs}.][^/\\\p{Cc}\p{Cs}]*\.(?:ya?ml|py)$/u,
    'a relative path of a .yml, .yaml or .py file',
  )
  .refine(
    (text) => text.split('/').every((name) => Buffer.byteLength(name) <= MAX_NAME_BYTES),
    `a path whose file and folder names have at most ${MAX_NAME_BYTES} bytes each`,
  )

const files = z
  .record(path, z.string())
  .superRefine((texts, context) => {
    const both = Object.keys(texts)
      .flatMap(foldersOf)
      .find((folder) => Object.hasOwn(texts, folder))
    if (both !== undefined) context.addIssue({ code: 'custom', message: `'${both}' cannot be a file and a folder at once` })
  })
  .refine((texts) => Object.keys(texts).length <= MAX_FILES, `at most ${MAX_FILES} files`)
  .refine((texts) => Object.keys(texts).length > 0, 'no files')

/** The folders that contain a file: `a` and `a/b` for `a/b/c.py`. */
function foldersOf(file: string): string[] {
  const names = file.split('/')
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join('/'))
}

const instant = z.iso.datetime({ offset: true })

const askSchema = z.strictObject({
  files: files.describe('The content to judge: texts by path. They hide content in force with the same ids.'),
  against: files
    .optional()
    .describe('What it is compared with: an earlier state of the same files. Absent: the content in force.'),
  from: instant.describe('Stored events from this time on.'),
  to: instant.optional().describe('Exclusive; absent, or in the future: now.'),
  by: z.enum(['event', 'received']).default('event').describe('Which time of an event the range is about.'),
  as_of: instant.optional().describe('Join events with the tables in force at that time; absent: now.'),
  max_events: z.int().min(1).max(MAX_EVENTS).default(1_000_000).describe('It ends after this number of events.'),
  max_seconds: z.int().min(1).max(MAX_SECONDS).default(900).describe('It ends after judging for this number of seconds.'),
})

const add = createRoute({
  method: 'post',
  path: '/api/v1/backtests',
  summary:
    'Judges stored events by rules that are not in force, and compares the alerts. Stores and delivers nothing; it is a replay, so `/api/v1/replays/{id}` shows and cancels it.',
  request: { body: { required: true, content: { 'application/json': { schema: askSchema } } } },
  responses: {
    202: {
      description: 'It runs, or waits for its turn among the replays.',
      content: { 'application/json': { schema: replaySchema } },
    },
    ...failures(400, 503),
  },
})

/** `POST /api/v1/backtests`. */
export function backtestRoutes(engine: Engine) {
  return createRouter().openapi(add, async (c) => {
    const { files: after, against, from, to, by, as_of: asOf, max_events: maxEvents, max_seconds: seconds } = c.req.valid('json')
    const replay = await engine.addBacktest({
      after,
      before: against,
      fromMs: Date.parse(from),
      toMs: to === undefined ? END_OF_TIME_MS : Date.parse(to),
      by,
      asOfMs: asOf === undefined ? undefined : Date.parse(asOf),
      maxEvents,
      maxMs: seconds * 1000,
    })
    return c.json(replayView(replay), 202)
  })
}
