import type { Command } from 'commander'
import { Document, isNode, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { configSchema } from '../../config/config.ts'
import { loadWithOrigins } from '../../config/load.ts'
import { printable } from '../../util/terminal.ts'
import { type ConfigOptions, configOption, contentOption, dataDirOption, listenOption, readConfig } from '../config.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { type ShownValue, shownValues } from '../shown-config.ts'

interface Flags extends ConfigOptions {
  readonly json?: boolean
}

interface Row extends ShownValue {
  readonly from: string
}

const HELP = `
Prints YAML with the origin of each value as a comment: default, file and line, environment variable, or command line. Secrets are
shown as they are referred to, never resolved; texts that may contain secrets (headers, bodies, paths of webhooks) are hidden.
What every key means: docs/configuration.md.
Exit code: 0 shown; 2 the configuration cannot be used, or has no such key.

Examples:
  caracal config
  caracal config retention
  caracal config --json`

/** An empty list looks as if no rules ran. */
const NO_CONTENT = '; ./content and the shipped packs are read anyway'

/** `caracal config`: works without a server. */
export function registerConfig(program: Command, io: Io): void {
  program
    .command('config [key]')
    .summary('show the configuration in force, and where each value comes from')
    .description(
      'Shows the values that `caracal up` would use here, and where each was set; all of them, or those of one top-level key.',
    )
    .option('--json', 'one JSON object per value: key, value, from')
    .addOption(configOption())
    .addOption(contentOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
    .addHelpText('after', HELP)
    .action((key: string | undefined, flags: Flags) => {
      if (key !== undefined && !Object.hasOwn(configSchema.shape, key))
        throw new UsageError(
          `'${printable(key)}' is not a key of the configuration. Known: ${Object.keys(configSchema.shape).join(', ')}`,
        )
      const rows = rowsOf(flags, io).filter(({ keys }) => key === undefined || keys[0] === key)
      const unset = Object.keys(configSchema.shape).filter(
        (name) => (key === undefined || key === name) && rows.every(({ keys }) => keys[0] !== name),
      )
      io.out(flags.json ? rows.map(jsonLine).join('') : `${rows.length > 0 ? yamlOf(rows) : ''}${unset.map(unsetLine).join('')}`)
    })
}

function rowsOf(flags: Flags, io: Io): Row[] {
  const { originOf } = loadWithOrigins(flags.config, io.env)
  const ofCommand = new Set<PropertyKey>([
    ...(flags.dataDir === undefined ? [] : ['data_dir']),
    ...(flags.listen === undefined ? [] : ['listen']),
    ...(flags.content === undefined ? [] : ['content']),
  ])
  return shownValues(inOrder(readConfig(flags, io))).map(({ keys, value }) => ({
    keys,
    value,
    from: ofCommand.has(keys[0]!) ? 'command line' : originOf(keys),
  }))
}

/** The keys in the order of the documentation. */
function inOrder(config: object): object {
  const given = config as Record<string, unknown>
  return Object.fromEntries(Object.keys(configSchema.shape).map((key) => [key, given[key]]))
}

function jsonLine({ keys, value, from }: Row): string {
  return `${JSON.stringify({ key: keys.map(String).join('.'), value, from })}\n`
}

/** What it means that a key is not set is in its description, which ends with its default. */
function unsetLine(name: string): string {
  const { description = '' } = configSchema.shape[name as keyof typeof configSchema.shape]
  const meaning = /Default: ([^.]*)\.?[^.]*$/.exec(description)?.[1]
  return `# ${name}: not set${meaning === undefined ? '' : ` (default: ${meaning})`}\n`
}

/** The values as YAML, each with its origin as a comment. */
function yamlOf(rows: readonly Row[]): string {
  const document = new Document(new YAMLMap())
  for (const { keys, value, from } of rows) {
    const node = document.createNode(value, { flow: true })
    const note = keys[0] === 'content' && keys.length === 1 && Array.isArray(value) && value.length === 0 ? NO_CONTENT : ''
    if (isNode(node)) node.comment = ` ${printable(from)}${note}`
    put(document.contents as YAMLMap, keys, node)
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

function put(root: YAMLMap, keys: readonly PropertyKey[], node: unknown): void {
  let inner: YAMLMap | YAMLSeq = root
  for (const [i, key] of keys.entries()) {
    const isLast = i === keys.length - 1
    const next: unknown = isLast
      ? node
      : (inner.get(key, true) ?? (typeof keys[i + 1] === 'number' ? new YAMLSeq() : new YAMLMap()))
    inner.set(typeof key === 'number' ? key : new Scalar(String(key)), next)
    if (!isLast) inner = inner.get(key, true) as unknown as YAMLMap | YAMLSeq
  }
}
