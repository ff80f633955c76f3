import { existsSync } from 'node:fs'
import { cp, mkdir, readdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { packageRoot } from '../../util/entry.ts'
import { messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { self } from '../self.ts'

/** Files that packaging tools would drop or act on under the name that they get. */
const RENAMED: Readonly<Record<string, string>> = {
  gitignore: '.gitignore',
  'detections.yml': '.github/workflows/detections.yml',
}

const HELP = `
Creates caracal.yml with the most common keys explained, an example of a schema, a table and a rule with unit tests below content,
a workflow for GitHub Actions that runs \`caracal validate\` and \`caracal test\`, a README and a .gitignore. Existing files are
never changed: if one of them exists, nothing is created.
Exit code: 0 created; 2 a file exists already, or the folder cannot be written.

Examples:
  caracal init detections
  caracal init`

/** `caracal init`: works without a server. */
export function registerInit(program: Command, io: Io): void {
  program
    .command('init [dir]')
    .summary('create a folder for your configuration and detections')
    .description('Creates a folder with a configuration, an example rule, and checks for it. Default: the working folder.')
    .addHelpText('after', HELP)
    .action((dir: string | undefined) => init(dir ?? '.', io))
}

async function init(dir: string, io: Io): Promise<void> {
  const folder = resolve(dir)
  const files = await starterFiles()
  const existing = files.map(({ to }) => to).filter((to) => existsSync(join(folder, to)))
  if (existing.length > 0)
    throw new UsageError(
      `${folder} already has ${existing.join(', ')}: nothing was changed. Name another folder, or move them away`,
    )
  try {
    for (const { from, to } of files) {
      await mkdir(dirname(join(folder, to)), { recursive: true })
      await cp(from, join(folder, to), { errorOnExist: true, force: false })
    }
  } catch (error) {
    throw new UsageError(`${folder} cannot be written: ${messageOf(error)}`)
  }
  io.out(`${files.map(({ to }) => `created ${printable(join(dir, to))}`).join('\n')}\n`)
  io.err(`\nNext:\n${relative(process.cwd(), folder) === '' ? '' : `  cd ${dir}\n`}  ${self()} test\n  ${self()} up\n`)
}

/** What is copied, and to which path below the new folder. */
async function starterFiles(): Promise<{ readonly from: string; readonly to: string }[]> {
  const root = join(packageRoot(), 'starter')
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((from) => ({ from, to: RENAMED[relative(root, from)] ?? relative(root, from) }))
    .sort((a, b) => (a.to < b.to ? -1 : 1))
}
