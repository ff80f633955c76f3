// Small inputs that once led to a wrong result, each with the right one. A case is the name of its folder and a check that
// resolves with the result and rejects (`node:assert`) if it is wrong.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { caracal, execute, pause, run, Server, temporaryFolder, testEntry } from './program.mjs'

/** The program with a source that reads `snap/*`; `copies` are [milliseconds to wait, source file or undefined to delete, name]. */
async function fileSource(folder, copies, { port, received }) {
  const server = new Server()
  try {
    await server.start(readFileSync(join(folder, 'caracal.yml'), 'utf8'))
    for (const [waitMs, from, name] of copies) {
      const to = join(server.folder, 'snap', name)
      if (from) cpSync(join(folder, from), to)
      else rmSync(to)
      await pause(waitMs)
    }
    const records = await server.records('snap', received)
    assert.deepEqual([records.received, records.stored], [received, received], JSON.stringify(records))
    const titles = (await server.alerts()).map(({ title }) => title)
    const wanted = `Unexpected Port Opened: ${port}`
    assert.equal(titles.filter((title) => title === wanted).length, 1, `alerts: ${titles.join(', ')}`)
    const rows = await server.query(`SELECT count() FROM logs.custom_netstat WHERE local_address = '0.0.0.0:${port}'`)
    assert.ok(Number(rows[0][0]) > 0, `no row of port ${port} in the lake`)
    return `${records.received} received, ${records.stored} stored; ${wanted}`
  } finally {
    await server.stop()
  }
}

/** Posts a body to the built-in source: the answer's status, the counts after it, and the ids of the Zeek connections stored (if asked for). */
async function post(file, headers, received, { hasConnections = true } = {}) {
  const server = new Server()
  try {
    await server.start()
    const response = await server.fetch('/ingest/default', { method: 'POST', headers, body: readFileSync(file) })
    const text = await response.text()
    const records = await server.records('default', response.ok ? received : 0)
    const rows = hasConnections && records?.stored > 0 ? await server.query('SELECT uid FROM logs.zeek_conn ORDER BY uid') : []
    return { status: response.status, text, records, uids: rows.map(([uid]) => uid) }
  } finally {
    await server.stop()
  }
}

async function validated(folder) {
  const { code, out, err } = await caracal(['validate', '--content', folder])
  return { code, text: out + err }
}

export const CASES = {
  '01-file-same-head-after-delete': (folder) =>
    fileSource(
      folder,
      [
        [3000, 'first.json', 'a.json'],
        [8000, undefined, 'a.json'],
        [1000, 'second.json', 'b.json'],
      ],
      { port: 4447, received: 17 },
    ),

  '02-file-same-head-beside': (folder) =>
    fileSource(
      folder,
      [
        [4000, 'first.json', 'netstat.1000.json'],
        [1000, 'second.json', 'netstat.1001.json'],
      ],
      { port: 4444, received: 17 },
    ),

  '04-uint64-count-notice': async (folder) => {
    const { code, lines, err } = await run([join(folder, 'notice.log')])
    assert.equal(code, 0, err)
    assert.equal(lines.length, 1)
    assert.match(lines[0], /"n":18446744073709551612[,}]/)
    const server = new Server()
    try {
      await server.start()
      await server.fetch('/ingest/default', { method: 'POST', body: readFileSync(join(folder, 'notice.log')) })
      await server.records('default', 1)
      const rows = await server.query('SELECT p_log_type, toString(n) FROM logs.zeek_notice')
      assert.deepEqual(rows, [['Zeek.Notice', '18446744073709551612']])
    } finally {
      await server.stop()
    }
    return 'n is 18446744073709551612 in the event and in the lake'
  },

  '06-content-encoding-deflate': async (folder) => {
    const headers = { 'content-encoding': 'deflate', 'content-type': 'application/json' }
    const { status, text, records, uids } = await post(join(folder, 'body.zlib'), headers, 1)
    if (status === 415) {
      assert.match(text, /deflate.*gzip.*identity/s)
      assert.equal(records?.received ?? 0, 0)
    } else {
      assert.equal(status, 202, text)
      assert.deepEqual([records.received, records.stored, uids], [1, 1, ['z2']])
    }
    return `${status}; ${records?.stored ?? 0} stored`
  },

  '08-json-stream-concatenated': async (folder) => {
    const { status, text, records, uids } = await post(join(folder, 'body.json'), { 'content-type': 'application/json' }, 2)
    assert.equal(status, 202, text)
    assert.deepEqual([records.received, records.stored, uids], [2, 2, ['h1', 'h2']])
    return '202; h1 and h2 stored'
  },

  '09-nul-hole-after-copytruncate': async (folder) => {
    for (const size of [2000, 3_000_000]) {
      const made = temporaryFolder()
      const { code: built, err: why } = await execute('python3', [join(folder, 'make.py'), 'file.log', String(size)], {
        cwd: made,
      })
      assert.equal(built, 0, why)
      const { code, rows, err } = await run([join(made, 'file.log')])
      assert.deepEqual([code, rows.map(({ uid }) => uid)], [0, ['CAFTER1', 'CAFTER2', 'CAFTER3']], err)
    }
    return 'three events behind holes of 2,000 and 3,000,000 bytes'
  },

  '10-zeek-cut-hole-in-header': async (folder) => {
    const { code, rows, err } = await run([join(folder, 'conn.log')])
    assert.equal(code, 0, err)
    assert.deepEqual(
      rows.map((row) => [row.p_log_type, row.service, '' in row, '_2' in row]),
      [['Zeek.Conn', 'ssh', false, false]],
    )
    return 'one Zeek.Conn event, service ssh, no field without a name'
  },

  '11-dshield-block-list': async (folder) => {
    const content = join(folder, 'content')
    const { code, rows, err } = await run([join(folder, 'conn.log'), '--content', content])
    const joined = rows.filter((row) => row.p_enrichment?.blocklist).map((row) => row.id_orig_h)
    if (joined.length === 0) {
      const { code: refused, text } = await validated(content)
      assert.ok(code !== 0 && refused !== 0, `neither joined nor refused: ${err}${text}`)
      assert.match(err, /range/)
      assert.match(text, /range/)
      return 'refused by run and validate: the rows are ranges'
    }
    assert.deepEqual(joined.sort(), ['192.0.2.130', '198.51.100.200', '203.0.113.0', '203.0.113.77'], err)
    assert.equal((await validated(content)).code, 0)
    return 'all four events joined'
  },

  '12-zeek-json-ts-millis': async (folder) => {
    const { code, rows, err } = await run([join(folder, 'conn.log')])
    assert.equal(code, 0, err)
    assert.match(rows[0].p_event_time, /^2025-11-28T10:00:00\.1230*Z$/)
    return rows[0].p_event_time
  },

  '13-validate-blind-to-tables': async (folder) => {
    const { code, text } = await validated(folder)
    assert.ok(code === 1 || code === 2, `exit code ${code}: ${text}`)
    assert.match(text, /block\.csv/)
    assert.match(text, /'ip'/)
    return `validate exits ${code} and names block.csv and the column 'ip'`
  },

  '14-scheduled-query-starvation': async () => {
    const { passed, failed, text } = await testEntry('src/engine/query-turns.test.ts')
    assert.ok(failed === 0 && passed > 0, `${passed} passed, ${failed} failed: ${text}`)
    return `${passed} tests of four queries on two places, on a clock that is passed in`
  },

  '15-foreign-json-guessed': async (folder) => {
    const file = join(folder, 'events.ndjson')
    const events = await run([file])
    // The first record is a row of osquery, which has a schema of its own by now.
    assert.deepEqual(
      events.rows.map((event) => event.p_log_type),
      ['Osquery.Differential'],
    )
    const { rows } = await run([file, '--emit', 'dead-letters'])
    assert.deepEqual(
      rows.map(({ reason }) => reason),
      Array(5).fill('unknown_log_type'),
    )
    for (const { message } of rows) assert.match(message, /[A-Z]\w+\.[A-Z]\w+/, 'no schema is named')
    const { records } = await post(file, {}, 6, { hasConnections: false })
    assert.deepEqual([records.received, records.stored, records.dead_lettered], [6, 1, 5])
    return 'five dead letters unknown_log_type and the row of osquery, from run and from HTTP'
  },

  '16-zeek-separator-and-trailing-tab': async (folder) => {
    const { code, rows, err } = await run([join(folder, 'http.log')])
    assert.equal(code, 0, err)
    assert.deepEqual(
      rows.map(({ p_log_type, uid }) => [p_log_type, uid]),
      [
        ['Zeek.HTTP', 'Cw1'],
        ['Zeek.HTTP', 'Cw2'],
      ],
    )
    return 'two Zeek.HTTP events, Cw1 and Cw2'
  },

  '17-json-arrays-in-files': async (folder) => {
    const file = join(folder, 'rows.json')
    const { code, rows, err } = await run([file, '--log-type', 'Custom.Netstat'])
    assert.deepEqual([code, rows.length], [0, 2], err)
    const server = new Server()
    try {
      await server.start(
        'sources:\n  - {type: file, id: snap, paths: [./snap/*], log_types: [Custom.Netstat], idle_ms: 500}\n' +
          '  - {type: http, id: web, log_types: [Custom.Netstat]}\n',
      )
      cpSync(file, join(server.folder, 'snap/rows.json'))
      const response = await server.fetch('/ingest/web', { method: 'POST', body: readFileSync(file) })
      assert.equal(response.status, 202, await response.text())
      for (const id of ['snap', 'web']) {
        const records = await server.records(id, 2)
        assert.deepEqual([id, records.received, records.stored], [id, 2, 2])
      }
    } finally {
      await server.stop()
    }
    return 'two events each from run, a file source and HTTP'
  },

  '18-zeek-optional-fields': async (folder) => {
    const { code, rows, err } = await run([join(folder, 'tunnel.log')])
    assert.deepEqual([code, rows.map(({ p_log_type }) => p_log_type)], [0, ['Zeek.Tunnel']], err)
    return 'one Zeek.Tunnel event'
  },

  '19-rules-off-on-a-busy-machine': async () => {
    const { passed, failed, text } = await testEntry('src/stages/detect/python/sandbox/limits.test.ts')
    assert.ok(failed === 0 && passed > 0, `${passed} passed, ${failed} failed: ${text}`)
    return `${passed} tests of the limits, on a clock and a processor meter that are passed in`
  },

  '20-typo-in-log-types': async (folder) => {
    const { code, text } = await validated(folder)
    assert.equal(code, 1, text)
    assert.match(text, /Custom\.Netsat/)
    assert.match(text, /Custom\.Netstat/, 'the nearest name is not offered')
    assert.match(text, /no-such-destination/)
    const server = new Server()
    try {
      await server.start('', ['--content', folder])
      const { problems } = await server.get('/health')
      assert.ok(
        problems.some((problem) => problem.includes('Case.Typo')),
        `health: ${problems.join(' | ')}`,
      )
    } finally {
      await server.stop()
    }
    return 'validate exits 1 and offers Custom.Netstat; up starts and its health names Case.Typo'
  },
}

/** The folders of DIR that are cases. */
export function isCase(folder) {
  return statSync(folder).isDirectory()
}
