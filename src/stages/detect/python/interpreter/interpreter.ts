import type { PyodideAPI } from 'pyodide'
import type { Request } from '../sandbox/protocol.ts'
import { askForRow, leaveIfOrphan, reply } from './child-io.ts'
import { Lookups } from './lookups.ts'
import { prepareForPyodide } from './seal.ts'
import { StopGuard } from './stop-guard.ts'
import { isJudged, joinParts, type Suspect } from './suspects.ts'
import { BEAT_MS, createWatch, processMeter, type Watch } from './watch.ts'

interface InterpreterOptions {
  readonly moduleUrl: string
  /** Pyodide's folder. */
  readonly folder: string
  /** The interpreter's memory never grows beyond this. */
  readonly memoryBytes: number
  readonly snapshot: Uint8Array | undefined
  /** `{path: source}` as JSON, if there is no snapshot. */
  readonly sources: Uint8Array | undefined
  readonly makeSnapshot: boolean
}

type Work = Exclude<Request, { kind: 'start' | 'sources' | 'row' }>

/** Parts of Pyodide that are missing from its types. */
interface Internals {
  readonly _module: {
    readonly HEAPU8: Uint8Array
    readonly HEAPU32: Uint32Array
    readonly FS: { readonly filesystems: { readonly MEMFS: { expandFileStorage(node: unknown, size: number): void } } }
  }
  makeMemorySnapshot(): Uint8Array
}

/** Functions of `_caracal/engine.py`: numbers and strings only. */
interface Engine {
  room(size: number): number
  address(): number
  start(): number
  compile(): void
  load(): void
  necessary(): void
  fill(): void
  prepare(header: string): string
  evaluate(): void
  prepare_suspect(number: number): void
  suspect(): void
  watched(): number
  done(): void
  test(): void
  answer(): number
}

/** The first byte of a question by `_caracal/lookups.py`: `?`. */
const QUESTION = 0x3f

/** Maximum total size of files that rules write, which are in the host's memory. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** CPython in WebAssembly with the Python engine loaded. */
export class Interpreter {
  readonly #pyodide: PyodideAPI & Internals
  readonly #memory: Internals['_module']
  readonly #guard = new StopGuard()
  readonly #lookups = new Lookups(askForRow)
  #engine: Engine | undefined
  #watch: Watch | undefined
  #cells = 0
  #careful = false
  /** Number of objects compared after a suspect rule; read before the first one runs. */
  #watched: number | undefined
  /** Reading events; no rule is running. */
  isReading = false

  constructor(pyodide: PyodideAPI & Internals) {
    this.#pyodide = pyodide
    this.#memory = pyodide._module
  }

  snapshot(): Uint8Array {
    return this.#pyodide.makeMemorySnapshot()
  }

  /** Prepares it for requests: sets limits and closes ways out. */
  open(): void {
    const python = this.#pyodide
    limitFiles(this.#memory)
    // Looked up once, so that functions a rule later puts in their place are not called.
    const {
      room,
      address,
      start,
      necessary,
      compile,
      load,
      fill,
      prepare,
      evaluate,
      prepare_suspect,
      suspect,
      watched,
      done,
      test,
      answer,
    } = python.pyimport('_caracal.engine') as unknown as Engine
    const judging = { prepare, evaluate, prepare_suspect, suspect, watched, done }
    const engine = { room, address, start, necessary, compile, load, fill, test, answer, ...judging }
    this.#engine = engine
    this.#cells = engine.start()
    this.#watch = createWatch(
      () => this.#memory.HEAPU32,
      this.#cells,
      (beat) => {
        leaveIfOrphan()
        reply({ kind: 'beat', ...beat })
      },
      processMeter(),
    )
    python.setStdout({ write: (bytes) => this.#printed(bytes), isatty: false })
    python.setStderr({ write: (bytes) => bytes.length, isatty: false })
    python.setStdin({ read: (into) => this.#lookups.read(into), isatty: false })
    python.runPython('import _caracal.close\n_caracal.close.install()\ndel _caracal')
    python.setInterruptBuffer(this.#watch.buffer)
    // Python still references this object somewhere; from here on it is empty.
    for (const name of Object.getOwnPropertyNames(python)) Reflect.deleteProperty(python, name)
  }

  /** The mark of the call that is running or whose exception is being handled. */
  mark(): number {
    const cells = this.#memory.HEAPU32
    return cells[this.#cells >>> 2]! || cells[(this.#cells >>> 2) + 3]!
  }

  /** Runs a request. Throws if the interpreter is dead: `Stopped` if the engine interrupted it. */
  call(request: Work, payload: Uint8Array): Uint8Array {
    const engine = this.#engine!
    const memory = this.#memory
    this.#watch!.begin(request.timeoutMs)
    this.#careful = request.careful
    this.#lookups.begin('tables' in request ? request.tables : undefined)
    const at = engine.room(payload.length)
    memory.HEAPU8.set(payload, at)
    const { kind } = request
    if (kind === 'evaluate') return this.#evaluate(engine, request.header, request.timeoutMs)
    // The engine may end rule code only; the work before and after has no limit.
    if (kind === 'load' || kind === 'test') this.#guard.run(() => engine[kind](), request.timeoutMs)
    else engine[kind]()
    return this.#answer(engine)
  }

  /** Valid until the next call. */
  #answer(engine: Engine): Uint8Array {
    const length = engine.answer()
    const from = engine.address()
    return this.#memory.HEAPU8.subarray(from, from + length)
  }

  /** Runs the ordinary rules together, then each suspect by itself, once the others' answers are out of its reach. */
  #evaluate(engine: Engine, header: string, limitMs: number): Uint8Array {
    const numbers = this.#read(() => engine.prepare(header))
    if (numbers && this.#watched === undefined) this.#watched = engine.watched()
    this.#guard.run(() => engine.evaluate(), limitMs)
    if (!numbers) return this.#answer(engine)
    const first = this.#answer(engine).slice()
    const suspects: Suspect[] = []
    for (const number of isJudged(first) ? numbers.split(',').map(Number) : []) {
      this.#read(() => engine.prepare_suspect(number))
      this.#guard.run(() => engine.suspect(), limitMs)
      suspects.push({ number, answer: this.#answer(engine).slice() })
    }
    engine.done()
    return joinParts(first, suspects, this.#watched ?? 0)
  }

  /** Reading a large crossing takes a while: the engine is notified when it ends, so that the time is not charged to the first rule. */
  #read<T>(work: () => T): T {
    const started = performance.now()
    this.isReading = true
    const result = work()
    this.isReading = false
    if (performance.now() - started > BEAT_MS / 2) reply({ kind: 'beat', mark: 0, ms: 0, interrupted: false })
    return result
  }

  /** Output of rules never gets here: only questions about tables and, in careful mode, a byte that announces a call. */
  #printed(bytes: Uint8Array): number {
    if (bytes[0] === QUESTION) this.#lookups.take(bytes.slice(1), this.mark())
    else if (this.#careful) reply({ kind: 'beat', mark: this.mark(), ms: 0, interrupted: false })
    return bytes.length
  }
}

export async function createInterpreter(options: InterpreterOptions): Promise<Interpreter> {
  prepareForPyodide()
  limitMemory(options.memoryBytes)
  if (options.snapshot) makeRoom(options.snapshot)
  const { loadPyodide } = (await import(options.moduleUrl)) as typeof import('pyodide')
  const pyodide = (await loadPyodide({
    indexURL: options.folder,
    jsglobals: Object.create(null) as object,
    stdout: () => {},
    stderr: () => {},
    ...(options.snapshot && { _loadSnapshot: options.snapshot }),
    ...(options.makeSnapshot && { _makeSnapshot: true }),
  })) as PyodideAPI & Internals
  if (options.sources) {
    const sources = JSON.parse(new TextDecoder().decode(options.sources)) as Record<string, string>
    pyodide.FS.writeFile('/caracal.json', options.sources)
    pyodide.runPython(`${sources['_caracal/bootstrap.py']}\nNone`)
  }
  // The first use fetches Node's random source, which is closed afterwards.
  if (!options.makeSnapshot) pyodide.runPython('import os\nos.urandom(1)\ndel os')
  return new Interpreter(pyodide)
}

/**
 * The image is larger than an interpreter's initial memory, and Pyodide copies it there without making room: so the
 * memory grows as soon as it is created.
 */
function makeRoom(snapshot: Uint8Array): void {
  // The second word is the length of the header before the image.
  const bytes = snapshot.length - new DataView(snapshot.buffer, snapshot.byteOffset).getUint32(4, true)
  const wasm = (globalThis as unknown as { WebAssembly: { instantiate: Instantiate } }).WebAssembly
  const { instantiate } = wasm
  wasm.instantiate = async (...given) => {
    const made = await instantiate(...given)
    const memory = made.instance?.exports.memory
    if (memory && memory.buffer.byteLength < bytes) memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / 65_536))
    return made
  }
}

type Instantiate = (...given: unknown[]) => Promise<{ instance?: { exports: { memory?: WasmMemory } } }>

/** `WebAssembly.Memory`, which is missing from the types of Node 20. */
interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** A refused growth is a MemoryError in Python. */
function limitMemory(maxBytes: number): void {
  const { prototype } = (globalThis as unknown as { WebAssembly: { Memory: { prototype: WasmMemory } } }).WebAssembly.Memory
  const grow = prototype.grow
  prototype.grow = function (this: WasmMemory, pages: number) {
    if (this.buffer.byteLength + pages * 65_536 > maxBytes) throw new RangeError('the memory limit is reached')
    return grow.call(this, pages)
  }
}

function limitFiles(memory: Internals['_module']): void {
  const files = memory.FS.filesystems.MEMFS
  const expand = files.expandFileStorage
  let total = 0
  files.expandFileStorage = (node, size) => {
    total += Math.max(0, size)
    if (total > MAX_FILE_BYTES) throw new RangeError('the sandbox keeps no files of this size')
    expand.call(files, node, size)
  }
}
