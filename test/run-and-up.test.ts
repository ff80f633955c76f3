import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { compareRunAndUp } from '../scripts/lib/run-and-up.mjs'
import { packageRoot } from '../src/util/entry.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-run-and-up-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A rule that matches some connections and fails on others. */
const RULE = `AnalysisType: rule
RuleID: Test.Port
Enabled: true
Filename: port.py
LogTypes: [Zeek.Conn]
Severity: Low
`
const CODE = `def rule(event):
    if event.get("id_resp_p") == 25:
        raise ValueError("no mail")
    return event.get("id_resp_p") == 443


def title(event):
    return f"{event.get('id_orig_h')} spoke TLS"


def alert_context(event):
    return {"uid": event.get("uid"), "port": event.get("id_resp_p")}
`

const conn = (n: number, port: number) =>
  JSON.stringify({
    _path: 'conn',
    ts: 1_700_000_000 + n / 7,
    uid: `C${n}`,
    'id.orig_h': `192.0.2.${n % 250}`,
    'id.orig_p': 1024 + n,
    'id.resp_h': '198.51.100.7',
    'id.resp_p': port,
    proto: 'tcp',
    odd: { nested: [n, null, 1.5] },
  })

test.each([1, 3])(
  'caracal run, and caracal up with %i workers, give the same events, matches and dead letters',
  async (workers) => {
    const own = join(folder, String(workers))
    const logs = join(own, 'logs')
    const content = join(own, 'content')
    mkdirSync(logs, { recursive: true })
    mkdirSync(content)
    writeFileSync(join(content, 'port.yml'), RULE)
    writeFileSync(join(content, 'port.py'), CODE)
    const lines = Array.from({ length: 60 }, (_, n) => conn(n, [443, 25, 80][n % 3]!))
    const files: Record<string, string | Uint8Array> = {
      'lines.log': `${lines.slice(0, 20).join('\n')}\n`,
      'array.json': `[${lines.slice(20, 40).join(',\n')}]`,
      'packed.log.gz': gzipSync(`${lines.slice(40).join('\n')}\n`),
      'bad.log': `${conn(61, 443)}\n{"_path":"conn","ts":\nno log at all\n{"_path":"conn","ts":"never","uid":"C62"}\n${conn(63, 443)}`,
    }
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(logs, name), bytes)
    for (const name of ['hole-in-header.log', 'unset-uid.log', 'separator-and-trailing-tab.log'])
      cpSync(join(packageRoot(), 'test/fixtures/zeek', name), join(logs, name))
    const all = [...Object.keys(files), 'hole-in-header.log', 'unset-uid.log', 'separator-and-trailing-tab.log']
    const { differences, ...sizes } = await compareRunAndUp(
      all.map((name) => join(logs, name)),
      { folder: own, program: join(packageRoot(), 'bin/caracal.js'), content: [content], workers },
    )
    expect(differences).toEqual([])
    expect(sizes.events).toBeGreaterThan(60)
    // 22 of the rule above, and an answer 404 in the copied logs that the shipped rule for scans of paths counts.
    expect(sizes.matches).toBe(23)
    expect(sizes.deadLetters).toBeGreaterThanOrEqual(3)
    // Four starts of the whole program.
  },
  300_000,
)
