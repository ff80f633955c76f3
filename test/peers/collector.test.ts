import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/caracal.ts'
import { until } from '../support/until.ts'
import { collector, program } from './support/installed.ts'
import { Shipping } from './support/shipping.ts'

const peer = collector('v0.165.0', [
  'receiver/otlpreceiver',
  'contrib/receiver/filelogreceiver',
  'contrib/receiver/syslogreceiver',
  'exporter/otlphttpexporter',
])
const logger = program('logger')
const why = peer.why ?? logger.why

describe.skipIf(why)(`OpenTelemetry Collector${why ? ` (${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-collector-'))
  const started: { child?: ChildProcess; shipping?: Shipping }[] = []
  afterAll(async () => {
    for (const { child, shipping } of started) {
      child?.kill('SIGKILL')
      await shipping?.stop()
    }
    rmSync(folder, { recursive: true, force: true })
  })

  test.each([
    ['json', 'gzip'],
    ['proto', 'gzip'],
    ['proto', 'none'],
  ])('sends the lines of a file and syslog messages, each once (%s, compression %s)', async (encoding, compression) => {
    const shipping = await Shipping.start('otlp')
    started.push({ shipping })
    const port = await freePort()
    const lines = Array.from({ length: 500 }, (_, n) => `line ${String(n).padStart(5, '0')} é`)
    const input = join(folder, `${encoding}-${compression}.log`)
    writeFileSync(input, lines.map((line) => `${line}\n`).join(''))
    const config = {
      receivers: {
        file_log: { include: [input], start_at: 'beginning' },
        syslog: { tcp: { listen_address: `127.0.0.1:${port}` }, protocol: 'rfc5424' },
      },
      exporters: {
        otlp_http: { endpoint: shipping.url, encoding, compression, headers: { authorization: `Bearer ${shipping.token}` } },
      },
      service: {
        telemetry: { metrics: { level: 'none' } },
        pipelines: { logs: { receivers: ['file_log', 'syslog'], exporters: ['otlp_http'] } },
      },
    }
    const file = join(folder, `${encoding}-${compression}.yaml`)
    writeFileSync(file, JSON.stringify(config))
    started.push({ child: spawn(peer.path!, ['--config', file], { stdio: 'ignore' }) })
    await until(async () => (await accepts(port)) || undefined)
    execFileSync(logger.path!, ['--rfc5424', '-T', '-n', '127.0.0.1', '-P', String(port), '-t', 'door', 'opened'])
    const rows = await shipping.events('message, extra', lines.length + 1)
    const texts = rows.map(([message]) => message as string).sort()
    expect(texts.filter((text) => text.startsWith('line'))).toEqual(lines)
    const [other] = rows.filter(([message]) => !(message as string).startsWith('line'))
    expect(JSON.stringify(other)).toContain('opened')
    expect(JSON.parse(other![1] as string)).toMatchObject({ appname: 'door' })
  })
})

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
