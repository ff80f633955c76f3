import { fstatSync, readSync, writeSync } from 'node:fs'
import { encodeFrame, MAX_FRAME_BYTES } from '../../../../util/frames.ts'
import type { Reply, Request } from '../sandbox/protocol.ts'

// Saved now, because the functions of `node:fs` are closed once the interpreter runs.
const read = readSync
const write = writeSync
// The global `process`, never an import of `node:process`: importing that opens `process.stdin`, which makes the pipe non-blocking,
// and an idle child would have to poll it.
const leave = process.exit.bind(process)
const pause = new Int32Array(new SharedArrayBuffer(4))
const decoder = new TextDecoder()

const parent = process.ppid

/** The engine has ended and this process has a new parent. */
export function isOrphan(): boolean {
  return process.ppid !== parent
}

/** Ends this process if the engine has ended; called regularly while a rule runs. */
export function leaveIfOrphan(): void {
  if (isOrphan()) leave(0)
}

/** Fills `into` from stdin. False if the parent has ended. */
function fill(into: Uint8Array): boolean {
  let at = 0
  while (at < into.length) {
    const count = again(() => read(0, into, at, into.length - at, null))
    if (count === 0) return false
    at += count
  }
  return true
}

/** The snapshot that the engine has opened for this child. Other children share its file position, so reads must specify their own. */
export function readSnapshot(): Uint8Array {
  const file = 3
  const bytes = new Uint8Array(fstatSync(file).size)
  let at = 0
  while (at < bytes.length) {
    const count = again(() => read(file, bytes, at, bytes.length - at, at))
    if (count === 0) throw new Error(`the snapshot ends after ${at} of ${bytes.length} bytes`)
    at += count
  }
  return bytes
}

/** The next request. Blocks in the kernel until there is one; `undefined` if the parent has ended. */
export function nextRequest(): { header: Request; payload: Uint8Array } | undefined {
  const prefix = new Uint8Array(8)
  if (!fill(prefix)) return undefined
  const view = new DataView(prefix.buffer)
  const total = view.getUint32(0, true)
  const head = view.getUint32(4, true)
  if (total > MAX_FRAME_BYTES || head + 4 > total)
    throw new Error(`a frame of ${total} bytes was announced: the stream is broken`)
  const body = new Uint8Array(total - 4)
  if (!fill(body)) return undefined
  return { header: JSON.parse(decoder.decode(body.subarray(0, head))) as Request, payload: body.subarray(head) }
}

/** Writes a frame to stdout synchronously, so that it also works while the interpreter is busy or about to die. */
export function reply(header: Reply, payload: Uint8Array = new Uint8Array()): void {
  for (const part of encodeFrame(header, payload)) {
    let at = 0
    while (at < part.length) at += again(() => write(1, part, at, part.length - at))
  }
}

/** Asks the engine for a row while a rule runs, and waits for the answer: the engine is never blocked by a child. */
export function askForRow(mark: number, question: Uint8Array): Uint8Array {
  reply({ kind: 'lookup', mark }, question)
  const answer = nextRequest()
  if (!answer) leave(0)
  if (answer!.header.kind !== 'row') throw new Error(`a row was asked for, and '${answer!.header.kind}' came`)
  return answer!.payload
}

/** Repeats an interrupted call. Pipes are blocking here; if one is not, it is polled. */
function again(call: () => number): number {
  for (;;) {
    try {
      return call()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'EOF') return 0
      // The parent has ended: not even a rule that never ends may outlive it.
      if (code === 'EPIPE') leave(0)
      if (code === 'EINTR') continue
      if (code !== 'EAGAIN') throw error
      if (isOrphan()) leave(0)
      Atomics.wait(pause, 0, 0, 1)
    }
  }
}
