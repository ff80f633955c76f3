import { type FileHandle, open } from 'node:fs/promises'
import { AnswerLog } from './answer-log.ts'

/** Follows the file of a log that this or another process appends to. */
export class AnswerReader {
  readonly log: AnswerLog
  readonly #path: string
  /** Which file it was: the log is sometimes rewritten as a new one. */
  #file = ''
  #offset = 0

  constructor(path: string, service: string) {
    this.#path = path
    this.log = new AnswerLog(service)
  }

  /** Identifies what the last `update` read. */
  get place(): string {
    return `${this.#file}/${this.#offset}`
  }

  /** Reads what has been appended since; without a file there is nothing. */
  async update(): Promise<void> {
    const handle = await open(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (!handle) return this.#restart('')
    try {
      const { ino, birthtimeNs, size } = await handle.stat({ bigint: true })
      const file = `${ino}-${birthtimeNs}`
      if (file !== this.#file || size < this.#offset) this.#restart(file)
      const bytes = await read(handle, this.#offset, Number(size))
      // The last line may not be complete yet.
      const end = bytes.lastIndexOf(0x0a) + 1
      for (const line of bytes.toString('utf8', 0, end).split('\n')) if (line !== '') this.log.read(line)
      this.#offset += end
    } finally {
      await handle.close()
    }
  }

  #restart(file: string): void {
    this.log.clear()
    this.#file = file
    this.#offset = 0
  }
}

async function read(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(to - from)
  let size = 0
  while (size < bytes.length) {
    const { bytesRead } = await handle.read(bytes, size, bytes.length - size, from + size)
    if (bytesRead === 0) break
    size += bytesRead
  }
  return bytes.subarray(0, size)
}
