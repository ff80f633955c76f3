import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

const NAMES = [
  'caracal_records_total',
  'caracal_records_reason_total',
  'caracal_source_bytes_total',
  'caracal_source_last_received_timestamp_seconds',
  'caracal_source_lag_seconds',
  'caracal_matches_total',
  'caracal_rule_errors_total',
  'caracal_rule_seconds_total',
  'caracal_alerts_total',
  'caracal_deliveries_total',
  'caracal_table_rows',
  'caracal_table_age_seconds',
  'caracal_node_info',
  'caracal_spool_bytes',
  'caracal_source_waiting_seconds',
  'caracal_active_since_timestamp_seconds',
  'caracal_worker_threads',
  'caracal_worker_batches_total',
  'caracal_forwarded_total',
  'caracal_system_problems',
  'caracal_stage_seconds',
  'caracal_alert_latency_seconds',
]

test('every documented name exists before anything has happened', async () => {
  const text = await createMetrics().text()
  expect([...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1])).toEqual(NAMES)
})

test('records are set to absolute values, so a second scrape does not add them again', async () => {
  const metrics = createMetrics()
  for (const n of [7, 9]) {
    metrics.setRecords([{ source: 'default', outcome: 'received', n }], [{ source: 'default', reason: 'invalid_json', n: 2 }])
  }
  const text = await metrics.text()
  expect(text).toContain('caracal_records_total{source="default",outcome="received"} 9\n')
  expect(text).toContain('caracal_records_reason_total{source="default",reason="invalid_json"} 2\n')
})

test('a table that was removed, or whose age is unknown, has no value', async () => {
  const metrics = createMetrics()
  metrics.setTables([{ name: 'gone', rows: 3, ageSecs: 4 }])
  metrics.setTables([{ name: 'tor_exit_nodes', rows: 1174, ageSecs: undefined }])
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('caracal_table'))
  expect(lines).toEqual(['caracal_table_rows{table="tor_exit_nodes"} 1174'])
})

test('a system problem that is over has no value', async () => {
  const metrics = createMetrics()
  metrics.setProblems([
    { name: 'SourceSilent', severity: 'HIGH', n: 1 },
    { name: 'SourceSilent', severity: 'HIGH', n: 1 },
    { name: 'DiskLow', severity: 'HIGH', n: 1 },
  ])
  const shown = async () => (await metrics.text()).split('\n').filter((line) => line.startsWith('caracal_system_problems{'))
  expect(await shown()).toContain('caracal_system_problems{name="SourceSilent",severity="HIGH"} 2')
  metrics.setProblems([{ name: 'DiskLow', severity: 'HIGH', n: 1 }])
  expect(await shown()).toEqual(['caracal_system_problems{name="DiskLow",severity="HIGH"} 1'])
})

test('counts add up by label, and durations fall into their buckets', async () => {
  const metrics = createMetrics()
  metrics.matches('Tor', 2)
  metrics.matches('Tor', 3)
  metrics.ruleErrors('Tor', 1)
  metrics.ruleSeconds('Tor', 0.25)
  metrics.alerts('CRITICAL', 1)
  metrics.deliveries('soc', 'delivered')
  metrics.setSpoolBytes({ web: 1 })
  metrics.setSpoolBytes({ edge: 4096 })
  metrics.setWaiting({ edge: 1.5 })
  metrics.setActiveSince(1_700_000_000)
  metrics.observeStage('parse', 0.003)
  metrics.alertLatency(0.02)
  const text = await metrics.text()
  for (const line of [
    'caracal_matches_total{rule="Tor"} 5',
    'caracal_rule_errors_total{rule="Tor"} 1',
    'caracal_rule_seconds_total{rule="Tor"} 0.25',
    'caracal_alerts_total{severity="CRITICAL"} 1',
    'caracal_deliveries_total{destination="soc",outcome="delivered"} 1',
    'caracal_spool_bytes{source="edge"} 4096',
    'caracal_source_waiting_seconds{source="edge"} 1.5',
    'caracal_active_since_timestamp_seconds 1700000000',
    'caracal_stage_seconds_bucket{le="0.0025",stage="parse"} 0',
    'caracal_stage_seconds_bucket{le="0.005",stage="parse"} 1',
    'caracal_alert_latency_seconds_bucket{le="0.015"} 0',
    'caracal_alert_latency_seconds_bucket{le="0.02"} 1',
  ]) {
    expect(text).toContain(`${line}\n`)
  }
  expect(text).not.toContain('source="web"')
})

test('a hostile label value stays one label value', async () => {
  const metrics = createMetrics()
  metrics.matches('a"} 1\ncaracal_spool_bytes 99', 1)
  const text = await metrics.text()
  expect(text).toContain('caracal_matches_total{rule="a\\"} 1\\ncaracal_spool_bytes 99"} 1\n')
  expect(text).not.toMatch(/^caracal_spool_bytes 99/m)
})
