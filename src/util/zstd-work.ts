/** No block has more content, so a frame of a single block needs no larger window. */
export const MAX_BLOCK_BYTES = 128 * 1024

/** The descriptor of a window of `MAX_BLOCK_BYTES`. */
const SMALL_WINDOW = 7 << 3

/** What a frame counts as, in bytes of content that take as long to decode. */
export const FRAME_WORK = 16 * 1024

/** As much as the slowest block is charged: files with the largest windows are read, too. */
const MOST_WINDOW_WORK = 512 * 1024

/** What each block of a frame counts as, whatever its size: the decoder moves the whole window. */
export function windowWork(windowBytes: number): number {
  return Math.min(MOST_WINDOW_WORK, Math.ceil(windowBytes / 128))
}

/**
 * Adapts the header of a frame that has a single block, so that the decoder allocates no more than that can need, and returns the size
 * of the window. Throws if the block cannot be all of the announced content.
 */
export function shrinkWindow(head: Uint8Array, windowBytes: number): number {
  if (windowBytes <= MAX_BLOCK_BYTES) return windowBytes
  if (head[4]! & 0x20) throw new Error('a frame has less content than it announces')
  head[5] = SMALL_WINDOW
  return MAX_BLOCK_BYTES
}
