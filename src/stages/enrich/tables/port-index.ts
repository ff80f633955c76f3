import { sharedInt32 } from './shared.ts'

/** The parts of an index of ports; the array is in shared memory. */
export interface PortParts {
  readonly kind: 'ports'
  /** Distinct ports. */
  readonly size: number
  /** Row of each port, -1 for none. */
  readonly rows: Int32Array
}

/** Ports; an event's value may be an address with a port. */
export class PortIndex {
  readonly parts: PortParts
  readonly size: number
  readonly #rows: Int32Array

  constructor(parts: PortParts) {
    this.parts = parts
    this.size = parts.size
    this.#rows = parts.rows
  }

  find(text: string): number {
    const port = portOf(text)
    return port < 0 ? -1 : this.#rows[port]!
  }
}

export class PortIndexBuilder {
  readonly #rows = sharedInt32(0x10000).fill(-1)

  add(key: string, row: number): boolean {
    const port = keyOf(key)
    if (port >= 0) this.#rows[port] = row
    return port >= 0
  }

  async build(): Promise<PortIndex> {
    return new PortIndex({ kind: 'ports', size: this.#rows.filter((row) => row >= 0).length, rows: this.#rows })
  }
}

/** The port that a key is, -1 if it is not a port. */
function keyOf(key: string): number {
  return /^\d{1,5}$/.test(key) ? portOf(key) : -1
}

/** A port without leading zeros; `undefined` if the text is not a port. */
export function canonicalPort(key: string): string | undefined {
  const port = keyOf(key)
  return port < 0 ? undefined : String(port)
}

/** `22`, `0.0.0.0:22`, `[::]:22`, `:::22` → 22; -1 without a port. */
export function portOf(text: string): number {
  const start = text.lastIndexOf(':') + 1
  if (start === text.length || text.length - start > 5) return -1
  let port = 0
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    port = port * 10 + digit
  }
  return port <= 0xffff ? port : -1
}
