import { expect, test } from 'vitest'
import { INDEX } from '../stages/store/indicators.ts'
import { indicatorRows } from './indicator-rows.ts'
import { rowsOf } from './rows.ts'

const event = (ips: readonly string[], time: string, more: object = {}) => ({
  p_log_type: 'Test.Log',
  p_source_id: 's',
  p_event_time: time,
  p_parse_time: '2024-04-20T00:00:00Z',
  p_any_ip_addresses: ips,
  ...more,
})

test('each value is one row for its kind, source and day, with how often and when it was seen', () => {
  const rows = indicatorRows([
    event(['192.0.2.1', '192.0.2.2'], '2024-04-19T10:00:00Z', { p_any_domain_names: ['192.0.2.1'] }),
    event(['192.0.2.1'], '2024-04-19T10:00:00.5Z'),
    event(['192.0.2.1'], '2024-04-19T09:59:59.123456789Z'),
    event(['192.0.2.1'], '2024-04-20T00:00:00Z', { p_parse_time: '2024-04-20T00:00:00.1Z' }),
    event(['192.0.2.1'], '2024-04-19T10:00:00Z', { p_source_id: 'other' }),
    { ...event([], '2024-04-19T10:00:00Z'), p_any_ip_addresses: undefined },
  ])
  const day = ['2024-04-20T00:00:00Z']
  expect(rows).toEqual([
    ['ip_addresses', '192.0.2.1', 'Test.Log', 's', 3, '2024-04-19T09:59:59.123456789Z', '2024-04-19T10:00:00.5Z', ...day],
    ['ip_addresses', '192.0.2.2', 'Test.Log', 's', 1, '2024-04-19T10:00:00Z', '2024-04-19T10:00:00Z', ...day],
    ['domain_names', '192.0.2.1', 'Test.Log', 's', 1, '2024-04-19T10:00:00Z', '2024-04-19T10:00:00Z', ...day],
    ['ip_addresses', '192.0.2.1', 'Test.Log', 's', 1, '2024-04-20T00:00:00Z', '2024-04-20T00:00:00Z', '2024-04-20T00:00:00.1Z'],
    ['ip_addresses', '192.0.2.1', 'Test.Log', 'other', 1, '2024-04-19T10:00:00Z', '2024-04-19T10:00:00Z', ...day],
  ])
  expect(rowsOf(INDEX, rows)[0]!.count).toBe(5)
})
