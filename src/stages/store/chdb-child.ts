import { createWriteStream } from 'node:fs'
import { Socket } from 'node:net'
import { CaracalError, RetryLater } from '../../util/errors.ts'
import { encodeFrame, FrameReader } from '../../util/frames.ts'
import { refuseForeign } from './chdb-definitions.ts'
import { openEngine } from './chdb-engine.ts'
import { type ChildOptions, NOT_UNDERSTOOD, type Reply, type Request } from './chdb-protocol.ts'
import { takeSnapshot } from './chdb-snapshot.ts'
import { QueryNotUnderstood } from './lake.ts'
import { LakeWork } from './lake-work.ts'

/**
 * The lake's process: frames out on descriptor 3, frames in on descriptor 4. The standard descriptors are the engine's: it prints
 * whenever it likes, and while it inserts it reads standard input, which would swallow requests. If descriptor 4 ends without `close`,
 * the parent is gone: the process exits at once, so that the next one can open the folder. The engine's files are designed to survive
 * that.
 */
const out = createWriteStream('', { fd: 3 })
const requests = new Socket({ fd: 4, readable: true, writable: false })

function send(reply: Reply, payload?: Uint8Array): void {
  for (const part of encodeFrame(reply, payload)) out.write(part)
}

function replyCode(error: unknown): string {
  if (error instanceof RetryLater) return 'retry_later'
  return error instanceof QueryNotUnderstood ? NOT_UNDERSTOOD : codeOf(error)
}

function codeOf(error: unknown): string {
  return error instanceof CaracalError ? error.code : 'internal'
}

async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '') as ChildOptions
  requests.on('end', () => process.kill(process.pid, 'SIGKILL'))
  requests.on('error', () => process.kill(process.pid, 'SIGKILL'))
  // Only the parent stops this process: it receives the terminal's signals itself and drains first.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  await refuseForeign(options.path)
  const work = new LakeWork(await openEngine(options), options)
  const brought = await work.prepare()
  const reader = new FrameReader<Request>()
  requests.on('data', (chunk: Uint8Array) => {
    for (const { header } of reader.push(chunk)) void serve(work, header, options)
  })
  send({ op: 'ready', brought })
}

async function serve(work: LakeWork, request: Request, options: ChildOptions): Promise<void> {
  const { id } = request
  try {
    if (request.op === 'ensure') {
      await work.ensure(request)
      send({ op: 'done', id })
    } else if (request.op === 'store') {
      const refused = await work.store(request)
      send({ op: 'done', id, ...(refused !== undefined && { refused }) })
    } else if (request.op === 'storeLookup') {
      await work.lookups((lookups) => lookups.store(request.version))
      send({ op: 'done', id })
    } else if (request.op === 'showLookups') {
      await work.lookups((lookups) => lookups.show(request.views))
      send({ op: 'done', id })
    } else if (request.op === 'query') {
      const { head, rows } = await work.query(request, () => send({ op: 'began', id }))
      send({ op: 'done', id, answer: head }, rows)
    } else if (request.op === 'progress') {
      const progress = await work.progress(request.query)
      send({ op: 'done', id, ...(progress && { progress }) })
    } else if (request.op === 'parquet') {
      await work.parquet(request)
      send({ op: 'done', id })
    } else if (request.op === 'ping') {
      await work.ping()
      send({ op: 'done', id })
    } else if (request.op === 'removeSource') {
      await work.removeSource(request.sourceId, request.held)
      send({ op: 'done', id })
    } else if (request.op === 'data') {
      send({ op: 'done', id, data: await work.data(request.ask) })
    } else if (request.op === 'snapshot') {
      await work.alone((writer) => takeSnapshot(writer, options.path))
      send({ op: 'done', id })
    } else if (request.op === 'cancel') await work.cancel(id)
    else {
      await work.close()
      send({ op: 'done', id })
      out.end(() => process.exit(0))
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    send({ op: 'error', id, code: replyCode(error), message })
  }
}

main().catch((error: unknown) => {
  send({ op: 'failed', code: codeOf(error), message: error instanceof Error ? error.message : String(error) })
  out.end(() => process.exit(1))
})
