/** Ports; an event's value may be an address with a port. */
export class PortIndex {
  readonly size: number
  readonly #rows: Int32Array

  constructor(rows: Int32Array) {
    this.#rows = rows
    this.size = rows.filter((row) => row >= 0).length
  }

  find(text: string): number {
    const port = portOf(text)
    return port < 0 ? -1 : this.#rows[port]!
  }
}

export class PortIndexBuilder {
  readonly #rows = new Int32Array(0x10000).fill(-1)

  add(key: string, row: number): boolean {
    const port = /^\d{1,5}$/.test(key) ? portOf(key) : -1
    if (port >= 0) this.#rows[port] = row
    return port >= 0
  }

  async build(): Promise<PortIndex> {
    return new PortIndex(this.#rows)
  }
}

/** `22`, `0.0.0.0:22`, `[::]:22`, `:::22` → 22; -1 when there is no port. */
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
