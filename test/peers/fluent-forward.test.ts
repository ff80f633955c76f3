import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { npmPackages } from './support/installed.ts'
import { runScript } from './support/shipping.ts'

const peer = npmPackages(['fluent-logger@3.4.1'])
const KEY = 'a shared key'
const PASSWORD = 'a password'

const SCHEMA = `schema: Custom.Shipped
fields:
  - { name: n, type: int }
  - { name: mode, type: string }
`

describe.skipIf(peer.why)(`fluent-logger${peer.why ? ` (${peer.why})` : ''}`, () => {
  let folder: string
  let caracal: Caracal
  let port: number
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-forward-'))
    port = await freePort()
    const api = await freePort()
    mkdirSync(join(folder, 'content'))
    writeFileSync(join(folder, 'content/shipped.yml'), SCHEMA)
    writeFileSync(join(folder, 'key'), KEY)
    writeFileSync(join(folder, 'password'), PASSWORD)
    const source = {
      type: 'fluent_forward',
      id: 'fluent',
      listen: `127.0.0.1:${port}`,
      log_types: ['Custom.Shipped'],
      shared_key: { file: 'key' },
      users: [{ name: 'alice', password: { file: 'password' } }],
    }
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${api}`, sources: [source], flush_ms: 100 }))
    caracal = new Caracal({ port: api, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
    await caracal.start()
  })
  afterAll(async () => {
    await caracal.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  /** Sends ten events and prints the errors of the callbacks, which are called after the acknowledgement. */
  function send(eventMode: string, sharedKey: string): Promise<string> {
    const security = { clientHostname: 'client', sharedKey, username: 'alice', password: PASSWORD }
    const options = { host: '127.0.0.1', port, timeout: 30, eventMode, security, requireAckResponse: true, flushInterval: 10 }
    return runScript(
      peer.path!,
      `const logger = require('fluent-logger')
      const quiet = { info() {}, error() {} }
      const sender = logger.createFluentSender('app', { ...${JSON.stringify(options)}, internalLogger: quiet })
      sender.on('error', (error) => { console.log(error.message); process.exit() })
      let left = 10
      for (let n = 0; n < 10; n++)
        sender.emit('x', { n, mode: '${eventMode}' }, new Date(1700000000000), (error) => {
          if (error) console.log(error.message)
          if (--left === 0) { console.log('acknowledged'); process.exit() }
        })`,
    )
  }

  test.each(['Message', 'PackedForward', 'CompressedPackedForward'])('mode %s: acknowledged and stored once', async (mode) => {
    expect(await send(mode, KEY)).toBe('acknowledged')
    const sql = `SELECT n, toString(p_event_time), extra FROM logs.custom_shipped WHERE mode = '${mode}' ORDER BY n`
    let rows: unknown[][] = []
    while (rows.length < 10) {
      rows = await caracal.query(sql).catch(() => [])
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(rows.map(([n]) => Number(n))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(rows[0]![1]).toMatch(/^2023-11-14.22:13:20/)
    expect(JSON.parse(rows[0]![2] as string)).toEqual({ fluent_tag: 'app.x' })
  })

  test('another shared key is refused', async () => {
    expect(await send('Message', 'another key')).toContain('the shared key is wrong')
  })
})
