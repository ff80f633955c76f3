import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'

/** Modules whose functions a sandboxed process has no use for. */
const SEALED = [
  'child_process',
  'cluster',
  'dgram',
  'diagnostics_channel',
  'dns',
  'dns/promises',
  'fs',
  'fs/promises',
  'http',
  'http2',
  'https',
  'inspector',
  'module',
  'net',
  'os',
  'repl',
  'tls',
  'v8',
  'vm',
  'wasi',
  'worker_threads',
]

/** Global functions that reach the network, start code, or hold the process. */
const GLOBALS = [
  'fetch',
  'WebSocket',
  'EventSource',
  'XMLHttpRequest',
  'Request',
  'Response',
  'Worker',
  'MessageChannel',
  'BroadcastChannel',
  'require',
  'navigator',
]

function refused(): never {
  throw new Error('closed in the sandbox')
}

/** Replaces every function of an object with one that throws. What cannot be replaced is left. */
function close(target: Record<string, unknown>): void {
  for (const key of Object.getOwnPropertyNames(target)) {
    const value = Object.getOwnPropertyDescriptor(target, key)?.value as unknown
    if (typeof value !== 'function') continue
    try {
      target[key] = refused
    } catch {
      // Read-only: nothing that matters is (checked by the attack tests).
    }
  }
}

/** `process.binding` is all that stands between Pyodide and its start under Node's permission flags. */
export function prepareForPyodide(): void {
  const { constants } = fs
  Object.assign(process, { binding: (name: string) => (name === 'constants' ? { fs: constants } : refused()) })
}

/**
 * After the interpreter has started: makes Node's own modules useless to whoever reaches them, so that a way from Python
 * to host objects leads nowhere. Node's permission flags do not cover the network: this does.
 */
export function sealProcess(): void {
  const require = createRequire(import.meta.url)
  // All are loaded before the first is closed: they use each other while loading.
  const modules = SEALED.map((name) => require(`node:${name}`) as Record<string, unknown>)
  modules.forEach(close)
  syncBuiltinESMExports()
  for (const name of GLOBALS) Reflect.deleteProperty(globalThis, name)
  for (const name of [
    'binding',
    '_linkedBinding',
    'dlopen',
    'kill',
    'chdir',
    'getBuiltinModule',
    '_rawDebug',
    'emitWarning',
    'loadEnvFile',
    'setUncaughtExceptionCaptureCallback',
    '_kill',
    'abort',
    '_debugProcess',
    'openStdin',
    'initgroups',
    'setuid',
    'setgid',
  ]) {
    if (name in process) Object.assign(process, { [name]: refused })
  }
  Object.assign(process, { env: Object.create(null) })
  Reflect.deleteProperty(process, 'mainModule')
}
