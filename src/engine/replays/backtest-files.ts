import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BacktestReplay, Replay } from '../../model/replay.ts'
import { messageOf, StorageError } from '../../util/errors.ts'
import type { BacktestCall } from '../engine.ts'

/** Content files by their path below a content root. */
type ContentTexts = Readonly<Record<string, string>>

/** Where the content of backtests is, until they are over. */
function backtestsFolder(dataDir: string): string {
  return join(dataDir, 'backtests')
}

/** The absolute folder of content that `addBacktest` has written. */
export function backtestFolder(dataDir: string, name: string): string {
  return join(backtestsFolder(dataDir), name)
}

/**
 * Writes the content of a backtest and queues it. Paths must have been checked.
 *
 * @throws {StorageError} if the content cannot be written. Nothing is left of it after this or any other failure.
 */
export async function addBacktest(
  { after, before, ...range }: BacktestCall,
  dataDir: string,
  add: (ask: BacktestReplay) => Promise<Replay>,
): Promise<Replay> {
  const names: string[] = []
  try {
    for (const texts of [after, ...(before ? [before] : [])]) {
      const name = randomBytes(6).toString('hex')
      // Noted first: a folder that could only be written in part is removed as well.
      names.push(name)
      await writeBacktest(backtestFolder(dataDir, name), texts)
    }
    const folders = { after: names[0]!, ...(names[1] !== undefined && { before: names[1] }) }
    return await add({ kind: 'backtest', dryRun: true, deliver: false, logTypes: [], rules: [], ...range, ...folders })
  } catch (error) {
    await removeBacktest(dataDir, names)
    throw error
  }
}

async function writeBacktest(folder: string, texts: ContentTexts): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      // Two paths can be one file where case does not count.
      await writeFile(join(folder, path), text, { flag: 'wx' })
    }
  } catch (error) {
    throw new StorageError(`the content of the backtest cannot be written: ${messageOf(error)}`, { cause: error })
  }
}

export async function removeBacktest(dataDir: string, names: readonly (string | undefined)[]): Promise<void> {
  for (const name of names) if (name !== undefined) await rm(backtestFolder(dataDir, name), { recursive: true, force: true })
}

/** Removes what no backtest needs any more, such as after a crash. */
export async function removeOtherBacktests(dataDir: string, needed: readonly (string | undefined)[]): Promise<void> {
  const names = await readdir(backtestsFolder(dataDir)).catch(() => [])
  await removeBacktest(
    dataDir,
    names.filter((name) => !needed.includes(name)),
  )
}
