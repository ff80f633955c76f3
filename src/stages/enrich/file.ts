import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../../util/errors.ts'
import { DEFAULT_MAX_BYTES, tooLarge } from './content.ts'
import { defineProvider } from './provider.ts'
import { TableError } from './table.ts'

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
    max_bytes: z.int().min(1).default(DEFAULT_MAX_BYTES).describe('Maximum size of the content in bytes, after decompression.'),
  }),
  example: { path: 'tables/assets.csv', base: 'data_dir' },
  isLocal: true,
  periodMinutes: 1,

  create({ path, base, max_bytes: maxBytes }, { folder, dataFolder }) {
    const full = resolve(base === 'definition' ? folder : dataFolder, path)
    return {
      async refresh(validators, signal) {
        signal.throwIfAborted()
        const handle = await open(full).catch((error: NodeJS.ErrnoException) => {
          throw error.code === 'ENOENT'
            ? new MissingFile(full, error)
            : new TableError(`cannot read ${full}: ${messageOf(error)}`, { cause: error })
        })
        try {
          const { mtimeMs, size } = await handle.stat()
          if (size > maxBytes) throw tooLarge(maxBytes)
          const stamp = `${mtimeMs}/${size}`
          if (validators['file'] === stamp) return undefined
          return { bytes: await handle.readFile(), validators: { file: stamp } }
        } finally {
          await handle.close()
        }
      },
    }
  },
})

/** The file does not exist yet, which is a state of the table rather than a failure. */
export class MissingFile extends TableError {
  constructor(path: string, cause: Error) {
    super(`there is no file ${path} yet: put the table's content there`, { cause })
  }
}
