// What a batch and an event cost at each station of the path, in µs of CPU: Zeek connections of 393 bytes, five tables, 20 Python rules.
// From bench/results.md ("Where the rest goes", the stages, batches of one event), two cores of an AMD EPYC.

/** A machine with everything on it, or the active node of several. `makers`: `workers` of the configuration. */
export function path({ machine = 'one', lake = machine, makers = 1, scale = 1 }) {
  const us = (n) => n * scale
  return [
    // One post at a time in the main thread.
    { name: 'receive', machine, servers: 1, perBatchUs: us(250), perEventUs: us(2.0), maxEvents: 0 },
    // What arrives while the disk writes goes into the next transaction.
    { name: 'spool', machine, servers: 1, perBatchUs: us(150), perEventUs: us(1.7), waitUs: 500 },
    // Batches of up to 1 MiB.
    { name: 'make', machine, servers: makers, perBatchUs: us(250), perEventUs: us(6.4), maxEvents: 2600 },
    { name: 'rules', machine, servers: 1, perBatchUs: us(300), perEventUs: us(1.6) },
    { name: 'commit', machine, servers: 1, perBatchUs: us(620), perEventUs: us(3.1), waitUs: 500, maxEvents: 2600 },
    { name: 'lake', machine: lake, servers: 1, perBatchUs: us(20_000), perEventUs: us(5.3), everyMs: 2000, fullEvents: 60_000 },
  ]
}

/** V8's own threads, which compile and collect garbage. */
export const ASIDE_US = 6.0

/** Bytes of an event as it arrives, and in the lake with its share of the index (docs/sizing.md). */
export const BYTES = { arriving: 227, stored: 132 }
