import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { requestShape } from './spec.ts'

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'presets')

/** Names of the services that can be polled without writing requests: one file each. */
export const PRESETS = readdirSync(FOLDER)
  .flatMap((file) => (file.endsWith('.yml') ? file.slice(0, -4) : []))
  .sort()

/** What is common to all streams of a preset is filled in first, with the parameters. */
const presetFile = z.strictObject({
  /** One sentence. */
  summary: z.string(),
  /** The vendor's pages that it was written from. */
  documentation: z.array(z.url()).min(1),
  /** By name: whether the user has to set it, or else its default. */
  parameters: z.record(z.string(), z.union([z.literal('required'), z.literal('optional'), z.array(z.string()), z.string()])),
  /** URL of the API; `endpoint` in the configuration replaces it. */
  endpoint: z.string(),
  /** URL of the token server, if there is one; `login_endpoint` in the configuration replaces it. */
  login_endpoint: z.string().optional(),
  auth: z.record(z.string(), z.unknown()),
  /** How far back the first poll goes by default, in hours. */
  start_hours: z.int().optional(),
  streams: z
    .array(
      z.looseObject({
        /** The list parameter for each of whose values there is a stream, with `{item}` as its value. */
        each: z.string().optional(),
        name: z.string(),
        log_types: z.array(z.string()).min(1),
      }),
    )
    .min(1),
})

export type PresetFile = z.output<typeof presetFile>

/** Keys of a stream in a preset. */
export const STREAM_KEYS = ['each', 'name', 'log_types', ...Object.keys(requestShape)]

const read = new Map<string, PresetFile>()

/** A shipped preset, by a name in `PRESETS`. */
export function presetOf(name: string): PresetFile {
  const known = read.get(name)
  if (known) return known
  const made = presetFile.parse(parse(readFileSync(join(FOLDER, `${name}.yml`), 'utf8'), { merge: true }))
  read.set(name, made)
  return made
}
