import { basename } from 'node:path'
import type { Command } from 'commander'
import { schemaDocument } from '../../stages/normalise/document.ts'
import { printable } from '../../util/terminal.ts'
import { type ConfigOptions, configOption, contentOption } from '../config.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { count, counted } from '../style.ts'

interface Flags extends ConfigOptions {
  readonly name?: string
}

/** Notes and refused records that are printed; there may be thousands of the same kind. */
const MAX_SHOWN = 10

const HELP = `
Prints the schema; what it is made of, and what could not be decided, goes to stderr. The schema is then tried on the sample.
Exit code: 0 it reads every record; 1 some records are refused; 2 usage, or a sample in no known format.

Example:
  caracal schema infer door.log.gz --name Custom.Door > content/door.yml`

/** `schema infer`: works without a server. */
export function registerSchemaInfer(schema: Command, io: Io): void {
  schema
    .command('infer [files...]')
    .description('Write a schema for sample logs: JSON, CSV with a header, keys and values, or a format that is built in.')
    .option('--name <log type>', 'the log type, as in Custom.MyApp.Audit (default: from the name of the first file)')
    .addOption(contentOption())
    .addOption(configOption())
    .addHelpText('after', HELP)
    .action(async (files: string[], flags: Flags) => {
      const { inferSchema } = await import('../../packs/infer/infer.ts')
      const { sampleOf } = await import('../schema-sample.ts')
      const name = checkName(flags.name ?? nameOf(files[0]))
      const { known } = await import('../known-log-types.ts')
      const sample = await sampleOf(files, io)
      const { yaml, schema, format, notes, check } = inferSchema(sample, name)
      await io.write(yaml)
      const fields = schema.columns.filter(({ name: column }) => !/^(?:p_.*|extra)$/.test(column)).length
      io.err(`${name}: ${counted(fields, 'field')} from ${counted(check.received, 'record')} of ${format}\n`)
      tell(io, 'note: ', [...(await known(sample, schema, flags, io)), ...notes])
      if (check.deadLetters.length === 0) {
        io.err('checked: the schema reads every record of the sample\n')
        return
      }
      io.err(`the schema refuses ${count(check.deadLetters.length)} of ${counted(check.received, 'record')}:\n`)
      tell(
        io,
        '  ',
        check.deadLetters.map(({ reason, message }) => `${reason}: ${message}`),
      )
      throw new Exit(1)
    })
}

function tell(io: Io, prefix: string, sentences: readonly string[]): void {
  for (const sentence of sentences.slice(0, MAX_SHOWN)) io.err(`${prefix}${printable(sentence)}\n`)
  if (sentences.length > MAX_SHOWN) io.err(`${prefix}and ${count(sentences.length - MAX_SHOWN)} more\n`)
}

function checkName(name: string): string {
  const checked = schemaDocument.shape.schema.safeParse(name)
  if (!checked.success) throw new UsageError(`--name '${name}': ${checked.error.issues[0]!.message}`)
  return name
}

/** `door-2.log.gz` → `Custom.Door2`. */
function nameOf(file: string | undefined): string {
  const [stem = ''] = file === undefined ? [] : basename(file).split('.')
  const words = stem.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
  return /^[A-Z][A-Za-z0-9]+$/.test(name) ? `Custom.${name}` : 'Custom.Sample'
}
