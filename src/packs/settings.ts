import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, messageOf } from '../util/errors.ts'
import { jsonValue } from './json-text.ts'
import { readYaml, YamlError } from './yaml-file.ts'

const FILE = '.panther_settings.yml'

const list = z.union([z.string().transform((text) => [text]), z.array(z.string())])

/** The keys of the settings file of Panther's tool that a test run uses. Other keys belong to commands that do not exist here. */
const settings = z.object({
  path: z.string().optional(),
  filter: z.union([list, z.record(z.string(), z.union([list, z.boolean(), z.number()]))]).optional(),
  minimum_tests: z.int().min(0).optional(),
  skip_disabled_tests: z.boolean().optional(),
  show_failures_only: z.boolean().optional(),
  sort_test_results: z.boolean().optional(),
  available_destination: list.optional(),
  ignore_files: list.optional(),
  test_names: list.optional(),
  ignore_extra_keys: z.boolean().optional(),
})

/** Keys of the same file that the test run of Panther's tool uses but this one does not need. */
const WITHOUT_EFFECT = ['ignore_table_names', 'valid_table_names', 'workers', 'api_token', 'api_host']

/** Options of a test run, wherever they come from; an absent one is not set there. */
export interface TestSettings {
  readonly path?: string | undefined
  readonly filter?: readonly string[] | undefined
  readonly minimumTests?: number | undefined
  readonly skipDisabledTests?: boolean | undefined
  readonly showFailuresOnly?: boolean | undefined
  readonly sortTestResults?: boolean | undefined
  readonly availableDestination?: readonly string[] | undefined
  readonly ignoreFiles?: readonly string[] | undefined
  readonly testNames?: readonly string[] | undefined
  readonly ignoreExtraKeys?: boolean | undefined
  /** Keys of the settings file that only matter to the other tool. */
  readonly withoutEffect?: readonly string[] | undefined
}

/** The settings in the folder's `.panther_settings.yml`; empty if it does not exist. Throws `ConfigError`. */
export function readSettings(folder: string): TestSettings {
  const file = join(folder, FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new ConfigError(`the settings cannot be read: ${messageOf(error)}`, { file }, { cause: error })
  }
  const value = readValue(file, text) ?? {}
  const parsed = settings.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new ConfigError(issue.message, { file, path: issue.path.join('.') })
  }
  const { filter, ...found } = parsed.data
  const idle = WITHOUT_EFFECT.filter((key) => Object.hasOwn(value, key))
  return {
    path: found.path,
    filter:
      filter === undefined || Array.isArray(filter) ? filter : Object.entries(filter).map(([key, value]) => `${key}=${value}`),
    minimumTests: found.minimum_tests,
    skipDisabledTests: found.skip_disabled_tests,
    showFailuresOnly: found.show_failures_only,
    sortTestResults: found.sort_test_results,
    availableDestination: found.available_destination,
    ignoreFiles: found.ignore_files,
    testNames: found.test_names,
    ignoreExtraKeys: found.ignore_extra_keys,
    withoutEffect: idle.length > 0 ? idle : undefined,
  }
}

function readValue(file: string, text: string): unknown {
  try {
    return jsonValue(readYaml(text))
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new ConfigError(error.message, { file, ...(error.line !== undefined && { line: error.line }) })
  }
}

/** The settings in `PANTHER_*` variables; several values are separated by white space. Throws `ConfigError`. */
export function environmentSettings(env: Readonly<Record<string, string | undefined>>): TestSettings {
  const values = (name: string) => env[name]?.split(/\s+/).filter(Boolean)
  const minimum = env['PANTHER_MINIMUM_TESTS']
  if (minimum && !/^\d{1,6}$/.test(minimum)) {
    throw new ConfigError(`the environment variable PANTHER_MINIMUM_TESTS is '${minimum}': it must be an integer`)
  }
  const skip = env['PANTHER_SKIP_DISABLED_TESTS']
  return {
    path: env['PANTHER_PATH'] || undefined,
    filter: values('PANTHER_FILTER'),
    minimumTests: minimum ? Number(minimum) : undefined,
    skipDisabledTests: skip ? /^(?:1|true|yes|on|t|y)$/i.test(skip) : undefined,
    availableDestination: values('PANTHER_AVAILABLE_DESTINATION'),
    ignoreFiles: values('PANTHER_IGNORE_FILES'),
    testNames: values('PANTHER_TEST_NAMES'),
  }
}

/** For each option, the first source that sets it takes precedence. */
export function mergeSettings(...sources: readonly TestSettings[]): TestSettings {
  const merged: Record<string, unknown> = {}
  for (const source of sources) {
    for (const [key, value] of Object.entries(source)) if (value !== undefined) merged[key] ??= value
  }
  return merged
}
