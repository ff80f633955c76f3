import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'
import type { Config } from '../config/config.ts'
import { contentRoots } from '../packs/load.ts'
import type { Detector } from '../stages/detect/language.ts'

const MIB = 1024 * 1024

/** With more free memory than this, each content folder's Python rules get a separate child process. */
const ENOUGH_BYTES = 4096 * MIB

type Chosen = Pick<Config, 'python_children'> & { readonly content: readonly string[] }

/** The content folders whose Python rules are judged in separate processes, or `undefined`: all together. */
export function foldersApart({ content, python_children }: Chosen, freeBytes = freeMemory()): string[] | undefined {
  const mode = python_children ?? (freeBytes > ENOUGH_BYTES ? 'per_root' : 'shared')
  return mode === 'per_root' ? contentRoots(content) : undefined
}

/** The memory that is left within the container's limit, if there is one. */
function freeMemory(): number {
  return (process as { availableMemory?: () => number }).availableMemory?.() ?? freemem()
}

/** A sentence on the processes that run Python rules and their memory; `undefined` without such processes. */
export function describeChildren(detectors: readonly Detector[], apart: readonly string[] | undefined): string | undefined {
  const pids = detectors.flatMap((detector) => detector.pids ?? [])
  if (pids.length === 0) return undefined
  const bytes = pids.map(residentBytes)
  const memory = bytes.every((size) => size !== undefined)
    ? ` hold ${Math.round(bytes.reduce((sum, size) => sum + size, 0) / MIB)} MiB`
    : ''
  const count = pids.length === 1 ? '1 process' : `${pids.length} processes`
  return `Python rules run in ${count} (python_children: ${apart ? 'per_root' : 'shared'})${memory && ` and${memory}`}`
}

/** A process's memory, if the system reports it (only Linux does). */
function residentBytes(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kib === undefined ? undefined : Number(kib) * 1024
  } catch {
    return undefined
  }
}
