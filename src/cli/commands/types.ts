import { join } from 'node:path'
import type { Command } from 'commander'
import { contentFolders } from '../../config/content.ts'
import { cacheFolder } from '../../config/env.ts'
import { type ConfigOptions, configOption, contentOption, readConfig } from '../config.ts'
import type { Io } from '../io.ts'

const HELP = `
Example:
  caracal types > caracal.d.ts`

/** `caracal types`: works without a server. */
export function registerTypes(program: Command, io: Io): void {
  program
    .command('types')
    .summary('print TypeScript types of all log types')
    .description('Prints TypeScript types of the events of every log type, your own and those shipped.')
    .addOption(contentOption())
    .addOption(configOption())
    .addHelpText('after', HELP)
    .action(async (flags: ConfigOptions) => {
      const { loadPath } = await import('../../engine/path.ts')
      const { readSchemaDocument } = await import('../../stages/normalise/document.ts')
      const { schemaTypes } = await import('../../packs/schema-types.ts')
      const config = readConfig(flags, io)
      const { content, schemas, problems } = await loadPath(
        { content: contentFolders(config), data_dir: config.data_dir, enabled_packs: config.enabled_packs },
        join(cacheFolder(io.env), 'content'),
      )
      for (const { file, message } of problems) io.err(`${file}: ${message}\n`)
      const usable = content.schemas.filter(({ name }) => schemas.has(name))
      await io.write(schemaTypes(usable.map(({ document, file }) => readSchemaDocument(document, { file }))))
    })
}
