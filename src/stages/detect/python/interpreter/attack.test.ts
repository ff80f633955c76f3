import { execFileSync } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entryFile } from '../../../../util/entry.ts'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { dedent, makeRule, makeTest } from '../rule.fixture.ts'

const PRELUDE = dedent(`
  import gc, importlib, os, sys

  def proxies():
      """Every object of the host that can be found from anywhere in the interpreter."""
      seen, stack, found = set(), [sys.modules, gc.get_objects()], []
      while stack:
          item = stack.pop()
          if id(item) in seen:
              continue
          seen.add(id(item))
          if type(item).__name__ in ('JsProxy', 'JsException', 'JsCallable') and not isinstance(item, type):
              found.append(item)
          if isinstance(item, dict):
              stack.extend(item.values())
          elif isinstance(item, (list, tuple, set, frozenset)):
              stack.extend(item)
          else:
              stack.extend(gc.get_referents(item))
      return found

  def reach(*names):
      """Follows attributes from every host object; what is found at the end."""
      found = []
      for item in proxies():
          try:
              for name in names:
                  item = getattr(item, name)
              found.append(item)
          except Exception:
              pass
      return found

  def each(call, items):
      """The call's results over the items; its errors are left out."""
      results = []
      for item in items:
          try:
              results.append(call(item))
          except Exception:
              pass
      return results
`)

let connections = 0
let server: Server
let port = 0

/** Attacks by a rule: expressions that must raise, return nothing, or end the child. A server listens on `PORT` of this machine. */
const REFUSED = {
  "the host's files": "open('/etc/passwd').read()",
  'its own compiled code': 'open(os.path.abspath(__file__)).read()',
  'the environment of the process': "open('/proc/self/environ').read()",
  'a shell': "os.system('id')",
  'a pipe to a shell': "os.popen('id').read()",
  'a subprocess': "importlib.import_module('subprocess').run(['id'])",
  'a fork': 'os.fork()',
  'another program': "os.execv('/bin/sh', ['sh'])",
  'a thread': "importlib.import_module('threading').Thread(target=print).start()",
  'a signal to its parent': 'os.kill(os.getppid(), 9)',
  'a socket': "importlib.import_module('socket').create_connection(('127.0.0.1', PORT), 2).sendall(b'x')",
  'a listening socket':
    "(lambda s: (s.bind(('127.0.0.1', 0)), s.listen(), s.accept()))(importlib.import_module('socket').socket())",
  'a request by urllib': "importlib.import_module('urllib.request').urlopen('http://127.0.0.1:PORT/', timeout=2).read()",
  'a request by http.client':
    "(lambda c: (c.request('GET', '/'), c.getresponse().read()))(importlib.import_module('http.client').HTTPConnection('127.0.0.1', PORT, timeout=2))",
  'a request by requests': "importlib.import_module('requests').get('http://127.0.0.1:PORT/')",
  'the module js': "importlib.import_module('js')",
  'the module pyodide_js': "importlib.import_module('pyodide_js')",
  'the module _pyodide_core': "importlib.import_module('_pyodide_core')",
  run_js: "importlib.import_module('pyodide.code').run_js('1')",
  ctypes: "importlib.import_module('ctypes')",
  _ctypes: "importlib.import_module('_ctypes')",
  "what makes built-in modules, from the guard's side":
    "[f for f in [__import__('_imp').create_builtin] for c in (f.__closure__ or ()) if callable(c.cell_contents)]",
  "the engine's modules": "importlib.import_module('_caracal.limits')",
  "the engine's modules in the table": "[name for name in sys.modules if name.startswith('_caracal')]",
  'what the collector ignores': "__import__('gc').unfreeze()",
  'js without the guard': "(sys.meta_path.pop(0), importlib.import_module('js'))",
  'pyodide_js without the guard': "(sys.meta_path.pop(0), importlib.import_module('pyodide_js'))",
  'code of the host from a string':
    "each(lambda f: f('return process')(), reach('constructor', 'constructor')) + each(lambda f: f.new('return this')(), reach('constructor'))",
  "the host's global object":
    "reach('globalThis') + reach('constructor', 'globalThis') + reach('process') + reach('_module') + reach('_api')",
  "the interpreter's files from the host's side":
    "reach('FS') + reach('mountNodeFS') + reach('useNodeSockFS') + reach('unpackArchive') + reach('loadPackage')",
  'the callers of a function of the host': "reach('caller') + reach('arguments', 'callee')",
  'a path of the host in the environment': "[v for v in os.environ.values() if 'caracal' in v or 'dist' in v or '.js' in v]",
}

let detector: Detector

beforeAll(async () => {
  server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as { port: number }).port
  const rules = Object.entries(REFUSED).map(([id, attack]) =>
    makeRule(
      id,
      `${PRELUDE}\ndef rule(event):\n    print('got', repr(${attack.replaceAll('PORT', String(port))}))\n    return True\n`,
    ),
  )
  detector = await python.create({ rules, helpers: [] }, { timeoutMs: 5000, all: false })
})
afterAll(async () => {
  await detector.close()
  server.close()
})

test('every attack can be loaded', () => {
  expect(detector.setupErrors).toEqual([])
})

test.each(Object.keys(REFUSED))('a rule does not get %s', async (id) => {
  const run = await detector.test(id, makeTest({}))
  if (!run.errors['detection']) expect(run.printed).toBe('got []\n')
  expect(connections).toBe(0)
})

/** Runs a script in a process that is sealed as the child is, but without its flags, to test the second barrier. Returns the arguments of `say`. */
function runSealed(script: string): unknown {
  const text = `
    import { builtinModules, createRequire } from 'node:module'
    import fs, { readFileSync, writeSync } from 'node:fs'
    import net from 'node:net'
    import { spawnSync } from 'node:child_process'
    const { sealProcess } = await import(${JSON.stringify(`file://${entryFile('stages/detect/python/interpreter/seal')}`)})
    const require = createRequire(import.meta.url)
    const write = fs.writeSync
    const out = process.stdout
    const say = (value) => write(1, JSON.stringify(value))
    ${script}
  `
  const flags = [
    '--no-warnings',
    ...flagsIfKnown('--experimental-ffi', '--experimental-sqlite'),
    '--input-type=module',
    '-e',
    text,
  ]
  return JSON.parse(execFileSync(process.execPath, flags, { env: {}, encoding: 'utf8' }))
}

function flagsIfKnown(...flags: string[]): string[] {
  return flags.filter((flag) => process.allowedNodeEnvironmentFlags.has(flag))
}

test('a rule that reaches Node’s modules cannot use them', () => {
  // Prints the attempts that succeed.
  const open = runSealed(`
    sealProcess()
    const tries = {
      readFileSync: () => readFileSync('/etc/passwd'),
      fs: () => fs.readFileSync('/etc/passwd'),
      open: () => fs.openSync('/etc/passwd', 'r'),
      promises: () => fs.promises.readFile('/etc/passwd'),
      connect: () => net.connect(${port}, '127.0.0.1'),
      socket: () => new net.Socket().connect(${port}, '127.0.0.1'),
      'a socket that is there': () => out.connect(${port}, '127.0.0.1'),
      'the class of a socket that is there': () => new (Object.getPrototypeOf(out).constructor)().connect(${port}, '127.0.0.1'),
      spawn: () => spawnSync('id'),
      require: () => require('node:dgram').createSocket('udp4'),
      module: () => require('node:module')._load('node:fs').readFileSync('/etc/passwd'),
      extensions: () => require('node:module').Module._extensions['.js']({ _compile() {} }, '/etc/passwd'),
      sqlite: () => new (require('node:sqlite').DatabaseSync)(':memory:'),
      ffi: () => require('node:ffi').dlopen('libc.so.6', {}),
      fetch: () => fetch('http://127.0.0.1:${port}/'),
      'a web socket': () => new WebSocket('ws://127.0.0.1:${port}/'),
      storage: () => localStorage.setItem('a', 'b'),
      binding: () => process.binding('spawn_sync'),
      linked: () => process._linkedBinding('x'),
      builtin: () => process.getBuiltinModule('fs').readFileSync('/etc/passwd'),
      kill: () => process.kill(process.ppid, 0),
      execve: () => process.execve('/bin/true', ['true']),
      report: () => process.report.writeReport('/tmp/report'),
      dlopen: () => process.dlopen({}, '/x'),
      'a library': () => require('node:crypto').setEngine('/x'),
      env: () => { if (Object.keys(process.env).length === 0) throw new Error('empty') },
    }
    const open = []
    for (const [name, attempt] of Object.entries(tries)) {
      try { await attempt(); open.push(name) } catch {}
    }
    say(open)
  `)
  expect(open).toEqual([])
  expect(connections).toBe(0)
})

/** What remains of Node in any version. Before adding an entry, make sure that it cannot reach anything. */
const LEFT_OPEN = {
  modules:
    'assert assert/strict buffer crypto events path path/posix path/win32 perf_hooks punycode querystring stream stream/consumers stream/promises stream/web string_decoder sys timers timers/promises url util util/types zlib',
  process:
    '_exiting _fatalException _tickCallback cpuUsage exit hasUncaughtExceptionCaptureCallback hrtime memoryUsage nextTick ppid reallyExit sourceMapsEnabled uptime',
  globals:
    'AbortController AbortSignal Buffer DOMException Event EventTarget TextDecoder TextEncoder URL URLSearchParams clearImmediate clearInterval clearTimeout crypto global performance process queueMicrotask setImmediate setInterval setTimeout structuredClone',
}

test('only modules, globals and functions of this Node that are known to be harmless remain', () => {
  const left = runSealed(`
    const vm = require('node:vm')
    const loaded = builtinModules.flatMap((name) => {
      try { return [[name, require(name.startsWith('node:') ? name : 'node:' + name)]] } catch { return [] }
    })
    const language = new Set(vm.runInNewContext('Object.getOwnPropertyNames(globalThis).filter((name) => name !== "console")'))
    sealProcess()
    const refused = fs.openSync
    const functions = (target) => Object.entries(Object.getOwnPropertyDescriptors(target)).filter(([name, { value, get, configurable }]) =>
      (get && configurable) || (typeof value === 'function' && value !== refused && name !== 'constructor')).map(([name]) => name)
    say({
      modules: loaded.filter(([name, module]) => name !== 'process' && functions(module).length > 0).map(([name]) => name).filter((name) => !/^_stream_|^constants$/.test(name)).sort().join(' '),
      process: functions(process).concat('ppid').sort().join(' '),
      globals: Object.getOwnPropertyNames(globalThis).filter((name) => !language.has(name)).sort().join(' '),
    })
  `)
  expect(left).toEqual(LEFT_OPEN)
})
