/** A process and its living descendants, each with the fields of its `stat` line from the state on. */
export function family(pid: number): [number, string[]][]
/** CPU seconds of such a line. */
export function secondsOf(fields: readonly string[]): number
/** CPU seconds used so far by a process and its living descendants. */
export function cpuSeconds(pid: number): number
