// What the benches of the whole path judge by: five tables of 1,000 to 100,000 rows, and twenty Python rules.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { address, cpuSeconds } from './lib.mjs'

export const TABLES = [1_000, 5_000, 10_000, 50_000, 100_000]

/** Waits until the start is over: after the first answer tables are still being built, and conditions of rules read. */
export async function idle(caracal) {
  for (let before = cpuSeconds(caracal.pid), quiet = 0; quiet < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const now = cpuSeconds(caracal.pid)
    quiet = now - before < 0.05 ? quiet + 1 : 0
    before = now
  }
}

/** Writes the tables and rules into a folder. */
export function content(folder) {
  TABLES.forEach((rows, t) => {
    const name = `bench_${t}`
    const lines = Array.from({ length: rows }, (_, i) => `${address(t * 1_000_000 + i)},note ${i}`)
    writeFileSync(join(folder, `${name}.csv`), `ip,note\n${lines.join('\n')}\n`)
    writeFileSync(
      join(folder, `${name}.yml`),
      `AnalysisType: lookup_table\nLookupName: ${name}\nEnabled: true\nFilename: ${name}.csv\nMatch: ip\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes:\n    - LogType: Zeek.Conn\n      Selectors: [id_orig_h]\n`,
    )
  })
  for (let r = 0; r < 20; r++) {
    writeFileSync(
      join(folder, `rule_${r}.yml`),
      `AnalysisType: rule\nRuleID: Bench.Rule.${r}\nFilename: rule_${r}.py\nEnabled: true\nLogTypes: [Zeek.Conn]\nSeverity: Low\n`,
    )
    writeFileSync(
      join(folder, `rule_${r}.py`),
      [
        'def rule(event):',
        `    if event.get("id_resp_p") != ${[22, 23, 25, 3389, 445][r % 5]}:`,
        '        return False',
        `    return event.get("conn_state") == "S0" and event.get("orig_bytes", 0) > ${8990 + (r % 10)}`,
        '',
        'def title(event):',
        `    return f"bench ${r} {event.get('id_orig_h')}"`,
      ].join('\n'),
    )
  }
}
