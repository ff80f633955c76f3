// CPU time of processes, from Linux's /proc.
import { readdirSync, readFileSync } from 'node:fs'

/** A process and its living descendants, each with the fields of its `stat` line from the state on. */
export function family(pid) {
  const all = new Map()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      all.set(Number(entry), stat.slice(stat.lastIndexOf(')') + 2).split(' '))
    } catch {
      // It has ended meanwhile.
    }
  }
  return [...all].filter(([p]) => {
    for (let at = p; at > 1; at = Number(all.get(at)?.[1] ?? 0)) if (at === pid) return true
    return false
  })
}

/** CPU seconds of such a line. */
export const secondsOf = (fields) => (Number(fields[11]) + Number(fields[12])) / 100

/** CPU seconds used so far by a process and its living descendants. */
export function cpuSeconds(pid) {
  return family(pid).reduce((sum, [, fields]) => sum + secondsOf(fields), 0)
}
