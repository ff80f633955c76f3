import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../../src/util/entry.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { until } from '../support/until.ts'
import { debianPackages, either, program } from './support/installed.ts'

const prometheus = either(
  () => program('prometheus'),
  () => debianPackages(['prometheus']),
)
const monitoring = join(packageRoot(), 'monitoring')

/** `prometheus` or `promtool` of the installed package. */
function path(name: string): string {
  const root = prometheus.path!
  return existsSync(join(root, 'usr')) ? join(root, 'usr/bin', name) : root.replace(/prometheus$/, name)
}

const promtool = (args: readonly string[], input = '') => execFileSync(path('promtool'), args, { encoding: 'utf8', input })

/** The dashboard's expressions as rules, with what Grafana would put in for its variables. */
function panelRules(): string {
  const { panels } = JSON.parse(readFileSync(join(monitoring, 'grafana-dashboard.json'), 'utf8')) as {
    panels: { targets: { expr: string }[] }[]
  }
  const rules = panels
    .flatMap(({ targets }) => targets)
    .map(({ expr }, i) => ({
      record: `panel:number${i}`,
      expr: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'),
    }))
  // JSON is YAML.
  return JSON.stringify({ groups: [{ name: 'panels', rules }] })
}

describe.skipIf(prometheus.why)(`Prometheus${prometheus.why ? ` (${prometheus.why})` : ''}`, () => {
  let folder: string
  let server: ChildProcess | undefined
  let caracal: Caracal | undefined

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-prometheus-'))
  })
  afterEach(async () => {
    server?.kill('SIGKILL')
    await caracal?.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  /** Caracal with one source. */
  async function started(): Promise<Caracal> {
    const port = await freePort()
    const settings = { listen: `127.0.0.1:${port}`, sources: [{ type: 'http', id: 'web' }] }
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(settings))
    caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
    await caracal.start()
    return caracal
  }

  test('the rules are valid and fire when they should, and so are the expressions of the dashboard', () => {
    expect(promtool(['check', 'rules', join(monitoring, 'prometheus-rules.yml')])).toContain('SUCCESS: 8 rules')
    expect(promtool(['test', 'rules', join(monitoring, 'prometheus-rules.test.yml')])).toContain('SUCCESS')
    writeFileSync(join(folder, 'panels.yml'), panelRules())
    expect(promtool(['check', 'rules', join(folder, 'panels.yml')])).toContain('SUCCESS')
  })

  test('it reads the metrics as docs/monitoring.md says, and every rule and panel can be evaluated', async () => {
    const running = await started()
    const metrics = await (await running.fetch('/metrics')).text()
    // The linter finds nothing to say.
    expect(promtool(['check', 'metrics'], metrics)).toBe('')

    const page = readFileSync(join(packageRoot(), 'docs/monitoring.md'), 'utf8')
    const [, documented] = /^```yaml\n(scrape_configs:[\s\S]*?)^```$/m.exec(page)!
    const settings = documented!
      .replace('/etc/prometheus/caracal.token', join(folder, 'caracal.token'))
      .replace('/etc/prometheus/caracal-rules.yml', join(monitoring, 'prometheus-rules.yml'))
      .replace('127.0.0.1:4848', `127.0.0.1:${running.port}`)
    writeFileSync(join(folder, 'caracal.token'), readFileSync(join(folder, 'data/token'), 'utf8').trim())
    writeFileSync(join(folder, 'panels.yml'), panelRules())
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `global: { scrape_interval: 1s, evaluation_interval: 1s }\n${settings}  - ${join(folder, 'panels.yml')}\n`,
    )
    const port = await freePort()
    server = spawn(
      path('prometheus'),
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    )
    const ask = async (of: string) =>
      ((await (await fetch(`http://127.0.0.1:${port}/api/v1/${of}`)).json()) as { data: never }).data
    const value = async (query: string) => {
      const { result } = (await ask(`query?query=${encodeURIComponent(query)}`)) as { result: { value: [number, string] }[] }
      return result[0]?.value[1]
    }
    await until(async () => (await value('up{job="caracal"}').catch(() => undefined)) === '1' || undefined)
    await running.fetch('/ingest/web', { method: 'POST', body: '{"no": "known log type"}\n' })
    await until(async () => (await value('caracal_records_total{source="web",outcome="dead_lettered"}')) === '1' || undefined)
    const rules = await until(async () => {
      const { groups } = (await ask('rules')) as { groups: { rules: { health: string; lastError?: string }[] }[] }
      const all = groups.flatMap((group) => group.rules)
      return all.every(({ health }) => health !== 'unknown') ? all : undefined
    })
    expect(rules.length).toBeGreaterThan(20)
    expect(rules.filter(({ lastError }) => lastError)).toEqual([])
  })
})
