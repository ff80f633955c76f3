/** One LZ4 block, of at most `length` bytes when decompressed: runs of literals, each followed by a copy of earlier output. */
export function unlz4Block(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length)
  let at = 0
  let to = 0
  const next = (): number => {
    if (at >= input.length) throw new Error('an LZ4 block is damaged')
    return input[at++]!
  }
  const extended = (base: number): number => {
    let count = base
    if (base === 15) for (let more = 255; more === 255; count += more) more = next()
    return count
  }
  while (at < input.length) {
    const token = next()
    const literals = extended(token >> 4)
    if (at + literals > input.length || to + literals > length) throw new Error('an LZ4 block is damaged')
    output.set(input.subarray(at, at + literals), to)
    at += literals
    to += literals
    if (at === input.length) break
    const distance = next() | (next() << 8)
    const copied = extended(token & 15) + 4
    if (distance === 0 || distance > to || to + copied > length) throw new Error('an LZ4 block is damaged')
    for (let i = 0; i < copied; i++, to++) output[to] = output[to - distance]!
  }
  return output.subarray(0, to)
}
