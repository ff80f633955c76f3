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
      io.out(flags.json ? rows.map(jsonLine).join('') : yamlOf(rows))
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

/** The values as YAML, each with its origin as a comment. */
function yamlOf(rows: readonly Row[]): string {
  const document = new Document(new YAMLMap())
  for (const { keys, value, from } of rows) {
    const node = document.createNode(value, { flow: true })
    if (isNode(node)) node.comment = ` ${printable(from)}`
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
