/**
 * The Python child: a process without files, network or environment that runs rules in Pyodide and answers frames.
 * Everything after the start is synchronous: one request, one answer.
 */
import { pathToFileURL } from 'node:url'
import { nextRequest, readSnapshot, reply } from './child-io.ts'
import { createInterpreter, type Interpreter } from './interpreter.ts'
import { sealProcess } from './seal.ts'
import { Stopped } from './stop-guard.ts'

// A supervisor's signals may reach all processes of a service, but the engine finishes its batches first and then ends this
// process; if the engine dies, stdin ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const folder = process.argv[2]!
const leave = process.exit.bind(process)

function serve(interpreter: Interpreter): void {
  for (let request = nextRequest(); request; request = nextRequest()) {
    const { header, payload } = request
    if (header.kind === 'start' || header.kind === 'sources' || header.kind === 'row')
      throw new Error(`'${header.kind}' was not asked for`)
    let answer: Uint8Array
    try {
      answer = interpreter.call(header, payload)
    } catch (error) {
      // An exit, a trap or a fatal error of the interpreter: its state is unknown from here on.
      const isStopped = error instanceof Stopped
      const how = isStopped && !error.isEarly ? 'timeout' : 'crash'
      const mark = isStopped && error.isEarly ? 0 : interpreter.mark()
      const message = isStopped ? error.message : String(error).slice(0, 500)
      reply({ kind: 'died', how, mark, message, isReading: interpreter.isReading })
      leave(70)
      return
    }
    reply({ kind: 'answer' }, answer)
  }
  leave(0)
}

/** A separate function, so that the snapshot's bytes can be freed while the child serves. */
async function start(): Promise<Interpreter> {
  const first = nextRequest()
  if (first?.header.kind !== 'start') throw new Error('the first frame must be `start`')
  const { makeSnapshot, memoryBytes } = first.header
  const snapshot = makeSnapshot ? undefined : readSnapshot()
  const sources = makeSnapshot ? nextRequest()?.payload : undefined
  const moduleUrl = pathToFileURL(`${folder}/pyodide.mjs`).href
  const interpreter = await createInterpreter({ moduleUrl, folder, memoryBytes, snapshot, sources, makeSnapshot })
  if (makeSnapshot) {
    reply({ kind: 'answer' }, interpreter.snapshot())
    leave(0)
  }
  return interpreter
}

async function main(): Promise<void> {
  const interpreter = await start()
  sealProcess()
  interpreter.open()
  // Frees the snapshot's two copies, about 60 MB that are not needed any more.
  ;(globalThis as { gc?: () => void }).gc?.()
  reply({ kind: 'answer' })
  serve(interpreter)
}

try {
  await main()
} catch (error) {
  // Not left to Node, which would first print the interpreter's source, a single line of a megabyte.
  reply({
    kind: 'died',
    how: 'crash',
    isReading: false,
    mark: 0,
    message: `the Python child failed: ${error instanceof Error ? error.stack?.slice(0, 1000) : String(error)}`,
  })
  leave(71)
}
