import { randomUUID } from 'node:crypto'
import { chmod, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { messageOf, Refused } from '../util/errors.ts'

/** A file to write; `undefined`: it does not exist. */
export interface FileStep {
  readonly file: string
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

/** Writes all files or none. The function it returns writes back what was there before. */
export async function writeFiles(steps: readonly FileStep[]): Promise<() => Promise<void>> {
  const done: FileStep[] = []
  const takeBack = async () => {
    for (const { file, before } of done.reverse()) await put(file, before)
  }
  try {
    for (const step of steps) {
      done.push(step)
      await put(step.file, step.after)
    }
  } catch (error) {
    await takeBack().catch(() => {})
    throw new Refused(`the files cannot be written: ${messageOf(error)}`, { cause: error })
  }
  return takeBack
}

/** Readers never see a partly written file, its permissions stay, and a link stays a link. */
async function put(file: string, text: Uint8Array | undefined): Promise<void> {
  if (text === undefined) return rm(file, { force: true })
  await mkdir(dirname(file), { recursive: true })
  const target = await realpath(file).catch(() => file)
  const mode = await stat(target).then(
    (found) => found.mode & 0o7777,
    () => undefined,
  )
  const draft = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomUUID()}`)
  try {
    await writeFile(draft, text, { flag: 'wx', flush: true, mode: mode ?? 0o644 })
    // The process's mask does not apply to what was there before.
    if (mode !== undefined) await chmod(draft, mode)
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
