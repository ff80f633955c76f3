import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { ConfigError, messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { count, counted } from '../style.ts'

const HELP = `
Without files, the tests of door.yml are in door_tests.yml. A test has \`name\`, \`input\`, and \`result\` or \`results\` (docs/schemas.md).
Exit code: 0 all pass; 1 some fail; 2 usage, or a file cannot be used.`

/** `schema test`: works without a server. */
export function registerSchemaTest(schema: Command, io: Io): void {
  schema
    .command('test <schema> [tests...]')
    .description('Run the tests of a schema file: what it makes of inputs, against what it should.')
    .addHelpText('after', HELP)
    .action(async (file: string, files: string[]) => {
      const { readSchemaTests, runSchemaTest } = await import('../../packs/schema-tests.ts')
      const { readSchema } = await import('../../packs/read-schema.ts')
      const compiled = await readSchema(file)
      let passed = 0
      let failed = 0
      for (const one of files.length > 0 ? files : [beside(file)]) {
        const text = await readFile(one, 'utf8').catch((error: unknown) => {
          throw new ConfigError(`the file cannot be read: ${messageOf(error)}`, { file: one })
        })
        for (const test of readSchemaTests(text, one)) {
          const wrong = runSchemaTest(compiled, test, one)
          if (wrong.length === 0) passed++
          else failed++
          io.out(`${wrong.length === 0 ? 'pass' : 'FAIL'}  ${printable(test.name)}\n`)
          for (const line of wrong) io.out(`      ${printable(line)}\n`)
        }
      }
      io.out(`${counted(passed + failed, 'test')}, ${count(failed)} failed\n`)
      if (failed > 0) throw new Exit(1)
    })
}

function beside(file: string): string {
  const found = file.replace(/(\.ya?ml)?$/, (ending) => `_tests${ending === '' ? '.yml' : ending}`)
  if (!existsSync(found)) throw new ConfigError(`there are no tests: write them, or name the file with them`, { file: found })
  return found
}
