import { systemProblem } from '../../model/system-problem.ts'
import type { Check } from './check.ts'

/** What `fs.statfs` answers, as far as it matters. */
export interface Space {
  readonly bsize: number
  readonly blocks: number
  /** Blocks that this user may still take. */
  readonly bavail: number
}

const GIB = 1024 ** 3

/** Below this many free bytes a disk of that size is low: 5 % of it, within 1 and 10 GiB, but no more than a quarter. */
export function lowBytes(size: number): number {
  return Math.min(Math.max(size * 0.05, GIB), 10 * GIB, size / 4)
}

/** Looks at the free space of the data folder's disk. */
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
