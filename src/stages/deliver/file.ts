import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { defineDestination, destinationBase } from './destination.ts'
import { deliveryLine } from './json-line.ts'

const NEWLINE = 0x0a

/** The file is opened for each alert, so a program that rotates it only has to rename it. */
export const file = defineDestination({
  type: 'file',
  summary: 'Appends each alert to a file, as a line of JSON.',
  config: z.object({
    ...destinationBase,
    path: z
      .string()
      .min(1)
      .refine((path) => !path.includes('\0'), 'a path')
      .describe(
        'The file. It is created, readable by its owner only; its folder must exist. It may be renamed or removed at any time.',
      ),
    fsync: z.boolean().default(true).describe('Sync each line to disk before the alert counts as delivered.'),
  }),
  example: { id: 'archive', path: '/var/log/caracal/alerts.ndjson' },
  isLocal: true,

  async create({ path, fsync }) {
    // One at a time, so that lines are never mixed.
    let last: Promise<void> = Promise.resolve()
    return {
      send(delivery, signal) {
        const written = last.then(async () => {
          if (signal.aborted) throw new RetryLater(`${path}: stopped`)
          await append(path, `${deliveryLine(delivery)}\n`, fsync)
        })
        last = written.catch(() => {})
        return written
      },
      async close() {
        await last
      },
    }
  },
})

async function append(path: string, line: string, fsync: boolean): Promise<void> {
  try {
    const handle = await open(path, 'a+', 0o600)
    try {
      const { size } = await handle.stat()
      const end = Buffer.alloc(1)
      if (size > 0) await handle.read(end, 0, 1, size - 1)
      // A line that a full disk cut off must not swallow this one.
      await handle.appendFile(size > 0 && end[0] !== NEWLINE ? `\n${line}` : line)
      if (fsync) await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const advice = isMissing ? `; create the folder ${dirname(path)}` : ''
    throw new RetryLater(`the file cannot be written: ${messageOf(error)}${advice}`, undefined, { cause: error })
  }
}
