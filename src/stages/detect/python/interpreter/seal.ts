import crypto from 'node:crypto'
import fs from 'node:fs'
import { builtinModules, createRequire, syncBuiltinESMExports } from 'node:module'
import vm from 'node:vm'

/**
 * Node's modules that stay open: they cannot reach files, the network, processes or threads, and cannot run code. All others are
 * closed, including those of later Node versions.
 */
const OPEN_MODULES = new Set([
  ...['_stream_duplex', '_stream_passthrough', '_stream_readable', '_stream_transform', '_stream_wrap', '_stream_writable'],
  ...['assert', 'assert/strict', 'buffer', 'constants', 'crypto', 'events', 'path', 'path/posix', 'path/win32', 'perf_hooks'],
  ...['punycode', 'querystring', 'stream', 'stream/consumers', 'stream/promises', 'stream/web', 'string_decoder'],
  ...['timers', 'timers/promises', 'url', 'util', 'util/types', 'sys', 'zlib'],
])

/** Global names of the host that stay, in addition to those of the language. */
const OPEN_GLOBALS = [
  ...['global', 'process', 'Buffer', 'performance', 'crypto', 'gc', 'TextEncoder', 'TextDecoder', 'URL', 'URLSearchParams'],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'queueMicrotask'],
  ...['Event', 'EventTarget', 'AbortController', 'AbortSignal', 'DOMException', 'structuredClone'],
]

/** Properties of `process` that stay: those for Node's event loop and exit, clocks, plain facts. */
const OPEN_OF_PROCESS = new Set([
  ...['exit', 'reallyExit', 'exitCode', '_exiting', 'nextTick', '_tickCallback', '_fatalException'],
  ...['hasUncaughtExceptionCaptureCallback', 'sourceMapsEnabled', 'hrtime', 'uptime', 'cpuUsage', 'memoryUsage', 'ppid'],
])

function refused(): never {
  throw new Error('closed in the sandbox')
}

type Target = Record<PropertyKey, unknown>

function isTarget(value: unknown): value is Target {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}

/** Own properties with their values. Reading one may cause Node to load another of its modules; getters are not called. */
function* ownProperties(target: Target): Generator<readonly [string, PropertyDescriptor]> {
  for (const name of Object.getOwnPropertyNames(target)) {
    if (name === 'constructor') continue
    yield [name, Object.getOwnPropertyDescriptor(target, name)!]
  }
}

/** Everything reachable through properties, class prototypes included. */
function reach(from: readonly unknown[], except: ReadonlySet<Target> = new Set()): ReadonlySet<Target> {
  const found = new Set<Target>()
  const waiting = [...from]
  while (waiting.length > 0) {
    const target = waiting.pop()
    if (!isTarget(target) || found.has(target) || except.has(target) || ArrayBuffer.isView(target)) continue
    found.add(target)
    for (const [, { value }] of ownProperties(target)) waiting.push(value)
  }
  return found
}

/** Replaces functions with one that throws, and removes getters. Properties that cannot be replaced remain; the attack tests check them. */
function close(target: Target, stays: ReadonlySet<string> = new Set()): void {
  for (const [name, { value, get, writable, configurable }] of ownProperties(target)) {
    if (stays.has(name) || (typeof value !== 'function' && !get)) continue
    if (configurable) Object.defineProperty(target, name, { value: get ? undefined : refused })
    else if (writable) target[name] = refused
  }
}

/**
 * `process.binding` is the only obstacle to starting Pyodide under Node's permission flags. The standard streams become plain
 * objects: Pyodide reads `process.stdin`, and Node's getter would make the pipe non-blocking, so that an idle child would have to poll it.
 */
export function prepareForPyodide(): void {
  const { constants } = fs
  for (const [fd, name] of ['stdin', 'stdout', 'stderr'].entries()) Object.defineProperty(process, name, { value: { fd } })
  Object.assign(process, { binding: (name: string) => (name === 'constants' ? { fs: constants } : refused()) })
}

/**
 * Called after the interpreter has started. Disables Node's own modules, so that a way from Python to host objects
 * is useless. Unlike Node's permission flags, this covers the network on every version. The child has already
 * saved the functions of these modules that it still needs.
 */
export function sealProcess(): void {
  const load = createRequire(import.meta.url)
  const open: unknown[] = []
  const closed: unknown[] = []
  for (const name of builtinModules) {
    if (name === 'process') continue
    try {
      const list = OPEN_MODULES.has(name) ? open : closed
      list.push(load(name.startsWith('node:') ? name : `node:${name}`))
    } catch {
      // Some of Node's modules exist only with a flag, which the child does not have.
    }
  }
  const language = new Set(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[])
  for (const name of ['console', 'globalThis']) language.delete(name)
  const kept = reach([...open, ...[...language].map((name) => Reflect.get(globalThis, name) as unknown)])
  // Everything is read before the first one is closed: Node loads parts of itself when a property is first read.
  const targets = reach(closed, kept)
  for (const target of targets) close(target)
  // It loads a library.
  Object.assign(crypto, { setEngine: refused })
  syncBuiltinESMExports()
  const stays = new Set([...language, 'globalThis', ...OPEN_GLOBALS])
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!stays.has(name)) Reflect.deleteProperty(globalThis, name)
  }
  close(process as unknown as Target, OPEN_OF_PROCESS)
  Object.assign(process, { env: Object.create(null) })
  Reflect.deleteProperty(process, 'mainModule')
}
