import { openSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { entryFile } from '../../../../util/entry.ts'
import { Sandbox } from './sandbox.ts'
import { readSources, snapshotKey } from './sources.ts'

/** The interpreter's memory never grows beyond this: a rule that wants more gets a MemoryError. */
export const MEMORY_BYTES = 512 * 1024 * 1024

/** Starting a child from scratch takes 3–4 s on a small machine; this allows for a very busy one. */
const START_MS = 60_000

let opened: Promise<number> | undefined

/**
 * An open file with the memory of an interpreter that has the engine loaded: children start from it in a fifth of the time. The
 * build creates it; otherwise it is created once and saved next to the compiled code, or once per process if that folder is not writable.
 */
export function snapshot(): Promise<number> {
  opened ??= open().catch((error: unknown) => {
    opened = undefined
    throw error
  })
  return opened
}

async function open(): Promise<number> {
  const sources = await readSources()
  const name = `snapshot-${snapshotKey(sources)}.bin`
  const file = join(dirname(entryFile('stages/detect/python/interpreter/child')), name)
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const bytes = await makeSnapshot(sources)
  return (await keep(file, bytes)) ? openSync(file, 'r') : openNameless(name, bytes)
}

/** Only a complete file ever gets the name. False: the installation is not writable. */
async function keep(file: string, bytes: Uint8Array): Promise<boolean> {
  const draft = `${file}.${process.pid}`
  try {
    await writeFile(draft, bytes)
    await rename(draft, file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error
    return false
  }
}

/** A file of this process only, removed when it ends. */
async function openNameless(name: string, bytes: Uint8Array): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'caracal-'))
  try {
    const file = join(folder, name)
    await writeFile(file, bytes)
    return openSync(file, 'r')
  } finally {
    await rm(folder, { recursive: true })
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

/** A child that is ready for rules. Rejects if it cannot be started or the signal aborts it. */
export async function startSandbox(signal?: AbortSignal): Promise<Sandbox> {
  return (await beginSandbox(signal)).started
}

/**
 * Resolves when a child starts by itself. `started` resolves with the child once it is ready for rules; it rejects if that fails or the
 * signal aborts it.
 */
export async function beginSandbox(signal?: AbortSignal): Promise<{ readonly started: Promise<Sandbox> }> {
  const file = await snapshot()
  signal?.throwIfAborted()
  const started = start(new Sandbox(file), signal)
  // Reported to the caller that awaits it.
  started.catch(() => {})
  return { started }
}

async function start(sandbox: Sandbox, signal: AbortSignal | undefined): Promise<Sandbox> {
  const end = () => void sandbox.close()
  signal?.addEventListener('abort', end)
  try {
    await sandbox.request([[{ kind: 'start', makeSnapshot: false, memoryBytes: MEMORY_BYTES }, new Uint8Array()]], START_MS)
  } catch (error) {
    await sandbox.close()
    throw error
  } finally {
    signal?.removeEventListener('abort', end)
  }
  return sandbox
}
