import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/util/entry.ts'
import type { Servers } from './servers.ts'
import { SIZE } from './size.ts'
import type { Shape } from './world.ts'

/** The numbered records of the crash test, over HTTP and from a file: two nodes can be active, three judge, two receive, two serve people. */
export function numbered(servers: Servers): Shape {
  return {
    roles: {
      ...{ one: undefined, two: undefined },
      ...{ 'worker-1': 'worker', 'worker-2': 'worker', 'worker-3': 'worker' },
      ...{ 'edge-1': 'ingest', 'edge-2': 'ingest', 'api-1': 'api', 'api-2': 'api' },
    },
    content: (folder) => writeNumberedContent(folder, SIZE.block),
    config: (logs) => ({
      sources: [
        { type: 'http', id: 'web', log_types: ['Custom.Crash'] },
        { type: 'file', id: 'disk', log_types: ['Custom.Crash'], paths: [join(logs, 'app.log*')], poll_ms: 50, idle_ms: 300 },
      ],
      ...servers.config,
    }),
  }
}

/** The content of the crash test; one of its rules opens an alert for each block of consecutive records of each lane, instead of one for each lane. */
export function writeNumberedContent(folder: string, block: number): void {
  cpSync(join(packageRoot(), 'test/crash/content'), folder, { recursive: true })
  const rule = join(folder, 'rules/crash_many.py')
  const title = `f"lane {event.get('lane')} {event.get('seq') // ${block}}"`
  writeFileSync(rule, readFileSync(rule, 'utf8').replace(`f"lane {event.get('lane')}"`, title))
  const rows = Array.from({ length: 50 }, (_, i) => `203.0.113.${i * 5},first`)
  writeFileSync(join(folder, 'tables/crash_hosts.csv'), `ip,note\n${rows.join('\n')}\n`)
}
