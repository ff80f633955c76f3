import { createWriteStream } from 'node:fs'
import { CaracalError, RetryLater } from '../../util/errors.ts'
import { encodeFrame, FrameReader } from '../../util/frames.ts'
import { openEngine } from './chdb-engine.ts'
import type { ChildOptions, Reply, Request } from './chdb-protocol.ts'
import { ChdbWork } from './chdb-work.ts'

/**
 * The lake's process: frames in on stdin, frames out on descriptor 3 (the engine may print on stdout and stderr as it
 * likes). When stdin ends without `close`, the parent is gone: the process ends at once, which the engine's files survive
 * by design, so that the next one can open the folder.
 */
const out = createWriteStream('', { fd: 3 })

function send(reply: Reply, payload?: Uint8Array): void {
  for (const part of encodeFrame(reply, payload)) out.write(part)
}

function codeOf(error: unknown): string {
  return error instanceof CaracalError ? error.code : 'internal'
}

async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '') as ChildOptions
  process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'))
  process.stdin.on('error', () => process.kill(process.pid, 'SIGKILL'))
  // Stops come from the parent, which gets the terminal's signals itself and drains first.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  const work = new ChdbWork(await openEngine(options), options)
  await work.prepare()
  const reader = new FrameReader<Request>()
  process.stdin.on('data', (chunk: Uint8Array) => {
    for (const { header, payload } of reader.push(chunk)) void serve(work, header, payload)
  })
  send({ op: 'ready' })
}

async function serve(work: ChdbWork, request: Request, payload: Uint8Array): Promise<void> {
  const { id } = request
  try {
    if (request.op === 'ensure') {
      await work.ensure(request)
      send({ op: 'done', id })
    } else if (request.op === 'insert') {
      send({ op: 'done', id, rejected: await work.insert(request, payload) })
    } else if (request.op === 'query') {
      const { head, rows } = await work.query(request)
      send({ op: 'done', id, answer: head }, rows)
    } else if (request.op === 'removeSource') {
      await work.removeSource(request.sourceId)
      send({ op: 'done', id })
    } else if (request.op === 'cancel') await work.cancel(id)
    else {
      await work.close()
      send({ op: 'done', id })
      out.end(() => process.exit(0))
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    send({ op: 'error', id, code: error instanceof RetryLater ? 'retry_later' : codeOf(error), message })
  }
}

main().catch((error: unknown) => {
  send({ op: 'failed', code: codeOf(error), message: error instanceof Error ? error.message : String(error) })
  out.end(() => process.exit(1))
})
