import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { JsonValue } from '../../../model/json.ts'
import { stringifyJson } from '../../../util/json.ts'
import type { AnswerLog, LogLine } from './answer-log.ts'
import { AnswerReader } from './answer-reader.ts'

/** The file is rewritten when it has this many lines more than it needs, or three times as many. */
const SPARE_LINES = 10_000

/**
 * The one writer of a live table's answers. What `append` has resolved for survives the end of the process, however it ends; a power cut may
 * cost the last seconds.
 */
export class AnswerFile {
  readonly log: AnswerLog
  readonly #path: string
  #handle: FileHandle
  #lines = 0
  #tail: Promise<void> = Promise.resolve()

  private constructor(path: string, log: AnswerLog, handle: FileHandle) {
    this.#path = path
    this.log = log
    this.#handle = handle
  }

  static async open(path: string, service: string, nowMs: number): Promise<AnswerFile> {
    await mkdir(dirname(path), { recursive: true })
    const reader = new AnswerReader(path, service)
    await reader.update()
    // Applying the first line makes an empty log this service's.
    reader.log.apply({ service })
    const handle = await write(path, reader.log.lines(nowMs))
    const file = new AnswerFile(path, reader.log, handle)
    file.#lines = file.#needed()
    return file
  }

  /** Applies the lines at once, and stores them. */
  append(lines: readonly LogLine[], nowMs: number): Promise<void> {
    for (const line of lines) this.log.apply(line)
    this.#lines += lines.length
    const needed = this.#needed()
    const isRewritten = this.#lines > needed * 3 && this.#lines > needed + SPARE_LINES
    if (isRewritten) this.#lines = needed
    const done = this.#tail.then(() =>
      isRewritten ? this.#rewrite(nowMs) : this.#handle.appendFile(textOf(lines)).then(() => {}),
    )
    this.#tail = done.catch(() => {})
    return done
  }

  async close(): Promise<void> {
    await this.#tail
    await this.#handle.close()
  }

  #needed(): number {
    return this.log.answers.size + 1
  }

  async #rewrite(nowMs: number): Promise<void> {
    const before = this.#handle
    this.#handle = await write(this.#path, this.log.lines(nowMs))
    await before.close()
  }
}

/** Replaces the file as a whole. Returns it opened for appending. */
async function write(path: string, lines: readonly LogLine[]): Promise<FileHandle> {
  const temporary = `${path}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(textOf(lines))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, path)
  return open(path, 'a')
}

function textOf(lines: readonly LogLine[]): string {
  return lines.map((line) => `${stringifyJson(line as JsonValue)}\n`).join('')
}
