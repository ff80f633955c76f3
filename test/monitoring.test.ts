import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMetrics } from '../src/telemetry/metrics.ts'
import { packageRoot } from '../src/util/entry.ts'

const read = (path: string) => readFileSync(join(packageRoot(), path), 'utf8')
const published = [...(await createMetrics().text()).matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name, type]) =>
  type === 'histogram' ? [name!, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name!],
)

test.each(['prometheus-rules.yml', 'grafana-dashboard.json'])('every metric that monitoring/%s reads is published', (file) => {
  const used = [...new Set(read(`monitoring/${file}`).match(/\bcaracal_\w+/g))]
  expect(used.length).toBeGreaterThan(3)
  expect(used.filter((name) => !published.includes(name))).toEqual([])
})

test('the dashboard shows every metric, and docs/monitoring.md names each metric and each alert', () => {
  const [dashboard, page] = [read('monitoring/grafana-dashboard.json'), read('docs/monitoring.md')]
  const names = published.filter((name) => !/_(?:bucket|sum|count)$/.test(name))
  expect(names.filter((name) => !dashboard.includes(name))).toEqual([])
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  const alerts = [...read('monitoring/prometheus-rules.yml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
  expect([...page.matchAll(/^\| `(Caracal\w+)`/gm)].map(([, name]) => name)).toEqual(alerts)
})
