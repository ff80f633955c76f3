import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ConfigError, messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import type { Io } from '../io.ts'

const HELP = `
Writes caracal.schema.json, for caracal.yml, and content.schema.json, for rules, correlation rules, queries, tables, packs,
overrides and log schemas, and prints the
settings that make VS Code with the YAML extension of Red Hat use them. Other editors take the same two files.`

/** `schema editor`: works without a server. */
export function registerSchemaEditor(schema: Command, io: Io): void {
  schema
    .command('editor [folder]')
    .description('Write JSON Schemas with which editors complete and check the YAML files (default folder: .caracal).')
    .addHelpText('after', HELP)
    .action(async (folder = '.caracal') => {
      const { contentJsonSchema, jsonSchemaOf } = await import('../../packs/editor-schemas.ts')
      const { configSchema } = await import('../../config/config.ts')
      const files = { 'caracal.schema.json': jsonSchemaOf(configSchema), 'content.schema.json': contentJsonSchema() }
      try {
        await mkdir(folder, { recursive: true })
        for (const [name, content] of Object.entries(files))
          await writeFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
      } catch (error) {
        throw new ConfigError(`the JSON Schemas cannot be written: ${messageOf(error)}`, { file: folder })
      }
      const settings = {
        'yaml.schemas': {
          [`./${join(folder, 'caracal.schema.json')}`]: ['caracal.yml'],
          [`./${join(folder, 'content.schema.json')}`]: ['content/**/*.yml', 'content/**/*.yaml'],
        },
      }
      io.err(`${Object.keys(files).join(' and ')} are in ${printable(folder)}. Add this to .vscode/settings.json:\n`)
      io.out(`${JSON.stringify(settings, null, 2)}\n`)
    })
}
