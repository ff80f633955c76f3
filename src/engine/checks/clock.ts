import { systemProblem } from '../../model/system-problem.ts'
import type { Check } from './check.ts'

/** Minimum step of the wall clock against the monotonic one; slewing and leap seconds stay below. */
const JUMP_MS = 30_000
/** A jump is reported for this long. */
const KEEP_MS = 60 * 60_000

/** Compares the wall clock with a monotonic one, both in milliseconds. */
export function clockCheck(wall: () => number, monotonic: () => number): Check {
  let offset = wall() - monotonic()
  let jump: { readonly atMs: number; readonly message: string } | undefined
  return {
    name: 'the clock',
    run() {
      const before = offset
      const steady = monotonic()
      offset = wall() - steady
      const ms = offset - before
      if (Math.abs(ms) > JUMP_MS) {
        const way = ms > 0 ? 'forward' : 'back'
        const time = new Date(offset + steady).toISOString()
        jump = { atMs: steady, message: `The clock jumped ${way} by ${Math.round(Math.abs(ms) / 1000)} s, to ${time}` }
      }
      if (jump && steady - jump.atMs > KEEP_MS) jump = undefined
      return jump ? [systemProblem('ClockJumped', '', jump.message)] : []
    },
  }
}
