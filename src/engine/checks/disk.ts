import { systemProblem } from '../../model/system-problem.ts'
import type { Check } from './check.ts'

/** The relevant part of the result of `fs.statfs`. */
export interface Space {
  readonly bsize: number
  readonly blocks: number
  /** Blocks that are available to this user. */
  readonly bavail: number
}

const GIB = 1024 ** 3

/** A disk of that size is low below this number of free bytes: 5 % of it, within 1 and 10 GiB, but no more than a quarter. */
export function lowBytes(size: number): number {
  return Math.min(Math.max(size * 0.05, GIB), 10 * GIB, size / 4)
}

/** Checks the free space of the data folder's disk. */
export function diskCheck(dataDir: string, space: (path: string) => Promise<Space>): Check {
  return {
    name: 'the disk',
    async run() {
      const { bsize, blocks, bavail } = await space(dataDir)
      const free = bavail * bsize
      const low = lowBytes(blocks * bsize)
      if (free >= low) return []
      const message = `The disk of ${dataDir} has ${gib(free)} GiB left of ${gib(blocks * bsize)} GiB; it is low below ${gib(low)} GiB`
      return [systemProblem('DiskLow', '', message)]
    },
  }
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1)
}
