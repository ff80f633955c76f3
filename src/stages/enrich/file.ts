import { open, realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../../util/errors.ts'
import { contentKeys, received, tooLarge } from './content.ts'
import { defineProvider } from './provider.ts'
import { NoContentYet, TableError } from './table.ts'

/** A file that another program writes; read again when its modification time or size has changed. */
export const file = defineProvider({
  type: 'file',
  summary: 'Reads a local file, again whenever it changes.',
  config: z.object({
    path: z.string().min(1).describe('The file; relative to `base`.'),
    base: z
      .enum(['definition', 'data_dir'])
      .default('definition')
      .describe("Where a relative path starts: this YAML's folder, or the data folder."),
    ...contentKeys,
  }),
  example: { path: 'tables/assets.csv', base: 'data_dir' },
  isLocal: true,
  periodMinutes: 1,

  create({ path, base, ...unpacking }, { folder, dataFolder }) {
    const full = resolve(base === 'definition' ? folder : dataFolder, path)
    return {
      async refresh(validators, signal) {
        signal.throwIfAborted()
        await refuseForeign(full, folder, dataFolder)
        const handle = await open(full).catch((error: NodeJS.ErrnoException) => {
          throw error.code === 'ENOENT'
            ? new MissingFile(full, error)
            : new TableError(`cannot read ${full}: ${messageOf(error)}`, { cause: error })
        })
        try {
          const { mtimeMs, size } = await handle.stat()
          if (size > unpacking.max_bytes) throw tooLarge(unpacking.max_bytes)
          const stamp = `${mtimeMs}/${size}`
          if (validators['file'] === stamp) return undefined
          return { bytes: await received(await handle.readFile(), unpacking), validators: { file: stamp } }
        } finally {
          await handle.close()
        }
      },
    }
  },
})

/**
 * What content from others names as a table must not be the API token, or any other file of this machine. Such a table may read files next to it and those that the user puts below `tables` in the data folder.
 */
async function refuseForeign(path: string, folder: string, dataFolder: string): Promise<void> {
  if (!(await isForeign(folder, dataFolder))) return
  const [own, tables, target] = await Promise.all([folder, join(dataFolder, 'tables'), path].map(real))
  if (isBelow(target!, own!) || isBelow(target!, tables!)) return
  throw new TableError(
    `content from git may read files in its own folder and below tables in the data folder, not ${path}: move the table's definition to a local content folder`,
  )
}

/** True for a folder of content that was fetched from others (git): that lies in the data folder. */
export async function isForeign(folder: string, dataFolder: string): Promise<boolean> {
  return isBelow(await real(folder), await real(dataFolder))
}

function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path))
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder + sep)
}

/** The file does not exist yet. */
export class MissingFile extends NoContentYet {
  constructor(path: string, cause: Error) {
    super(`there is no file ${path} yet: put the table's content there`, { cause })
  }
}
