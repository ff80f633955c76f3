import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { lowBytes, type Space } from '../checks/disk.ts'
import { type Examination, failed, ok, warning } from './examination.ts'

const MIB = 1024 ** 2
/** Below this, SQLite and the lake cannot be expected to write. */
const LEAST_BYTES = 256 * MIB

export interface DiskSpace extends Space {
  /** Number of files that the file system can hold, and of those that are left. 0: it has no such limit. */
  readonly files: number
  readonly ffree: number
}

/** Checks the disk of the data folder, or of its nearest parent that exists. */
export function diskExamination(dataDir: string, space: (path: string) => Promise<DiskSpace>): Examination {
  return {
    name: 'disk',
    async run() {
      const { bsize, blocks, bavail, files, ffree } = await space(existing(dataDir))
      const free = bavail * bsize
      const low = lowBytes(blocks * bsize)
      const message = `${size(free)} free of ${size(blocks * bsize)}`
      const advice = 'free some space, set retention.lake_days, or move data_dir to another disk'
      if (free < LEAST_BYTES) return failed(`${message}; at least ${size(LEAST_BYTES)} are needed`, advice)
      if (free < low) return warning(`${message}; below ${size(low)} it is low`, advice)
      if (files > 0 && ffree < files / 100)
        return warning(`${message}, but only ${ffree} of ${files} files (inodes) are left`, 'remove small files from this disk')
      return ok(message)
    },
  }
}

/** The path, or its nearest parent that exists. */
export function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path))
}

function size(bytes: number): string {
  return bytes < 1024 * MIB ? `${Math.round(bytes / MIB)} MiB` : `${(bytes / MIB / 1024).toFixed(1)} GiB`
}
