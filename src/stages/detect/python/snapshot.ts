import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { entryFile } from '../../../util/entry.ts'
import { Sandbox } from './sandbox.ts'
import { readSources, snapshotKey } from './sources.ts'

/** The interpreter's memory never grows beyond this: a rule that wants more gets a MemoryError. */
export const MEMORY_BYTES = 512 * 1024 * 1024

/** The start of a child from scratch takes 3–4 s on a small machine; this is for a very busy one. */
const START_MS = 60_000

let made: Promise<Uint8Array> | undefined

/**
 * The memory of an interpreter with the engine loaded: children start from it in a fifth of the time. Read from the file
 * that the build left, else made once a process (and kept beside the compiled code if that folder can be written).
 */
export function snapshot(): Promise<Uint8Array> {
  made ??= load().catch((error: unknown) => {
    made = undefined
    throw error
  })
  return made
}

async function load(): Promise<Uint8Array> {
  const sources = await readSources()
  const file = join(dirname(entryFile('stages/detect/python/child')), `snapshot-${snapshotKey(sources)}.bin`)
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const bytes = await makeSnapshot(sources)
  await keep(file, bytes)
  return bytes
}

/** Only a file that is whole ever gets the name. An installation that cannot be written makes it anew each time. */
async function keep(file: string, bytes: Uint8Array): Promise<void> {
  const draft = `${file}.${process.pid}`
  try {
    await writeFile(draft, bytes)
    await rename(draft, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error
  }
}

async function makeSnapshot(sources: Uint8Array): Promise<Uint8Array> {
  const sandbox = new Sandbox()
  try {
    const start = { kind: 'start', makeSnapshot: true, memoryBytes: MEMORY_BYTES } as const
    return await sandbox.request(
      [
        [start, new Uint8Array()],
        [{ kind: 'sources' }, sources],
      ],
      START_MS,
    )
  } finally {
    await sandbox.close()
  }
}

/** A child that is ready for rules. Rejects when it cannot be started. */
export async function startSandbox(): Promise<Sandbox> {
  return (await beginSandbox()).started
}

/**
 * Resolves as soon as a child starts by itself: the snapshot is large, and a process that is busy sends it slowly. `started` is
 * the child when it is ready for rules; it rejects when that fails, or when the signal ends it meanwhile.
 */
export async function beginSandbox(signal?: AbortSignal): Promise<{ readonly started: Promise<Sandbox> }> {
  const bytes = await snapshot()
  signal?.throwIfAborted()
  const sandbox = new Sandbox()
  const started = start(sandbox, bytes, signal)
  // Told to whoever awaits it.
  started.catch(() => {})
  await sandbox.taken()
  return { started }
}

async function start(sandbox: Sandbox, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Sandbox> {
  const end = () => void sandbox.close()
  signal?.addEventListener('abort', end)
  try {
    await sandbox.request([[{ kind: 'start', makeSnapshot: false, memoryBytes: MEMORY_BYTES }, bytes]], START_MS)
  } catch (error) {
    await sandbox.close()
    throw error
  } finally {
    signal?.removeEventListener('abort', end)
  }
  return sandbox
}
