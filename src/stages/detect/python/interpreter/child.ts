/**
 * The Python child: a process without files, network or environment that runs rules in Pyodide and answers frames.
 * Everything after the start is synchronous: one request, one answer.
 */
import { pathToFileURL } from 'node:url'
import { nextRequest, readSnapshot, reply } from './child-io.ts'
import { createInterpreter, type Interpreter } from './interpreter.ts'
import { sealProcess } from './seal.ts'
import { Stopped } from './stop-guard.ts'

// A supervisor's signals may reach all processes of a service: the engine finishes its batches first and ends this process
// itself; and when the engine is gone, stdin ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const folder = process.argv[2]!
const leave = process.exit.bind(process)

function serve(interpreter: Interpreter): void {
  for (let request = nextRequest(); request; request = nextRequest()) {
    const { header, payload } = request
    if (header.kind === 'start' || header.kind === 'sources') throw new Error(`'${header.kind}' came twice`)
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

/** A function of its own, so that nothing keeps the snapshot's bytes alive while it serves. */
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
  // Gives back the snapshot's two copies: some 60 MB that nobody needs again.
  ;(globalThis as { gc?: () => void }).gc?.()
  reply({ kind: 'answer' })
  serve(interpreter)
}

try {
  await main()
} catch (error) {
  // Not left to Node: it would print the interpreter's one line of a megabyte first.
  reply({
    kind: 'died',
    how: 'crash',
    isReading: false,
    mark: 0,
    message: `the Python child failed: ${error instanceof Error ? error.stack?.slice(0, 1000) : String(error)}`,
  })
  leave(71)
}
