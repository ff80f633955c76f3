import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { makeRule, makeTest } from '../rule.fixture.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** Modules that reach outside or below the interpreter. Rules cannot get them. */
const CLOSED =
  '_ctypes _posixsubprocess _pyodide_core _remote_debugging _testbuffer _testcapi _testclinic _testclinic_limited _testinternalcapi _testlimitedcapi _xxtestfuzz xxsubtype'

/** Modules that compute, or work on the sandbox's own memory and files. A module of a later Python version is in neither list. */
const OPEN =
  '_abc _ast _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _contextvars _csv _datetime _decimal _elementtree _functools _heapq _hmac _imp _io _json _locale _lsprof _lzma _md5 _multibytecodec _opcode _operator _pickle _queue _random _sha1 _sha2 _sha3 _signal _socket _sqlite3 _sre _stat _statistics _string _struct _suggestions _symtable _sysconfig _thread _tokenize _tracemalloc _types _typing _warnings _weakref _zoneinfo _zstd array atexit binascii builtins cmath errno faulthandler fcntl gc itertools marshal math mmap posix pyexpat select sys termios time unicodedata zlib'

/** Functions of the open modules that could create modules, processes or threads, or reach a network: each must raise. */
const REFUSED = {
  '_imp.create_builtin': 'spec',
  '_imp.exec_builtin': 'sys',
  '_imp.create_dynamic': 'spec',
  '_imp.exec_dynamic': 'sys',
  '_imp._override_frozen_modules_for_tests': '1',
  '_imp._override_multi_interp_extensions_check': '1',
  'gc.unfreeze': '',
  'posix.fork': '',
  'posix.execv': "'/bin/sh', ['sh']",
  'posix.execve': "'/bin/sh', ['sh'], {}",
  'posix.kill': 'posix.getppid(), 15',
  'posix.killpg': '1, 15',
  'posix.chroot': "'/tmp'",
  'posix.posix_openpt': '2',
  'posix.wait': '',
  '_thread.start_new_thread': 'print, ()',
  '_thread.start_new': 'print, ()',
  '_thread.start_joinable_thread': 'print',
  '_sqlite3.connect': "'file:/etc/passwd?mode=ro', uri=True",
  '_io.open': "'/etc/passwd'",
  '_io.open_code': "'/etc/passwd'",
  'posix.open': "'/etc/passwd', 0",
  'sys.remote_exec': "1, '/tmp/x'",
  'mmap.mmap': '77, 10',
} as const

let detector: Detector

beforeAll(async () => {
  const modules = `
    import sys
    def rule(event):
        for name in sys.builtin_module_names:
            try:
                __import__(name)
                print(name)
            except ImportError as error:
                print('closed', name)
        return True
  `
  const attempts = Object.entries(REFUSED).map(([name, values]) => {
    // Functions closed by name raise that error whatever their arguments.
    const isRefused = /^(_imp|gc)\./.test(name) ? "'closed to rules' in str(error)" : 'not isinstance(error, AttributeError)'
    return `try:\n        ${name}(${values})\n        print('${name}')\n    except BaseException as error:\n        if not (${isRefused}): print('${name}', repr(error))`
  })
  const refused = `import _imp, _io, _sqlite3, _thread, gc, mmap, posix, sys\nfrom importlib.machinery import ModuleSpec\ndef rule(event):\n    spec = ModuleSpec('_ctypes', None, origin='/tmp/x.so')\n    ${attempts.join('\n    ')}\n    return True\n`
  const rules = [makeRule('Modules', modules), makeRule('Refused', refused)]
  detector = await python.create({ rules, helpers: [] }, { timeoutMs: 10_000, all: false })
})
afterAll(() => detector.close())

test('every module that is built into the interpreter is known to be closed or harmless', async () => {
  const { printed, errors } = await detector.test('Modules', makeTest({}))
  expect(errors).toEqual({})
  const lines = printed.trim().split('\n')
  const closed = lines.filter((line) => line.startsWith('closed ')).map((line) => line.slice(7))
  expect(closed.join(' ')).toBe(CLOSED)
  expect(lines.filter((line) => !line.startsWith('closed ')).join(' ')).toBe(OPEN)
})

test('no function of the open ones creates modules, processes or threads, or opens files of the host', async () => {
  const { printed, errors } = await detector.test('Refused', makeTest({}))
  expect(errors).toEqual({})
  expect(printed).toBe('')
})
