// Forty log types at twenty events each per quarter second, five minutes: does it keep up, and does memory stay flat?
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine, memory, startCaracal } from './lib.mjs'

const SECONDS = Number(process.env.SOAK_SECONDS ?? 300)
const TYPES = 40
const EACH = 20

function content(folder) {
  for (let t = 0; t < TYPES; t++)
    writeFileSync(
      join(folder, `soak_${t}.yml`),
      `schema: Custom.Soak${t}\nfields:\n  - { name: kind${t}, type: string, required: true }\n  - { name: n, type: bigint, required: true }\n  - { name: ip, type: string, indicators: [ip] }\n  - { name: note, type: string }\n`,
    )
  writeFileSync(
    join(folder, 'soak.yml'),
    'AnalysisType: rule\nRuleID: Soak.Rule\nFilename: soak.py\nEnabled: true\nLogTypes: [Custom.Soak0, Custom.Soak1]\nSeverity: Low\n',
  )
  writeFileSync(join(folder, 'soak.py'), 'def rule(event):\n    return event.get("n") % 1000 == 0\n')
}

const caracal = await startCaracal({ sources: [{ type: 'http', id: 'soak' }], content: ['content'] }, content)
console.log(`soak: ${TYPES} log types, ${EACH} events each per 250 ms, ${SECONDS} s\n${machine()}`)
let sent = 0
let late = 0
const begin = performance.now()
for (let tick = 0; tick < SECONDS * 4; tick++) {
  const lines = []
  for (let t = 0; t < TYPES; t++)
    for (let i = 0; i < EACH; i++)
      lines.push(`{"kind${t}":"x","n":${sent + lines.length},"ip":"192.0.2.${i}","note":"soak ${tick}"}`)
  await caracal.post('soak', `${lines.join('\n')}\n`)
  sent += lines.length
  const wait = begin + (tick + 1) * 250 - performance.now()
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
  else late++
  if (tick % 80 === 79) {
    const { records, backlog_bytes } = await caracal.source('soak')
    const used = memory(caracal.pid)
    console.log(
      `  ${String((tick + 1) / 4).padStart(4)} s  sent ${sent}  behind ${sent - records.stored - records.dead_lettered}  spool ${backlog_bytes} B  memory ${used.map(({ command, mib }) => `${command} ${mib}`).join(' ')} = ${used.reduce((n, { mib }) => n + mib, 0)} MiB`,
    )
  }
}
while ((await caracal.source('soak')).records.stored < sent) await new Promise((resolve) => setTimeout(resolve, 100))
const tables = await caracal.query("SELECT count() FROM logs.all WHERE p_source_id = 'soak'")
console.log(
  `  sent ${sent}, in the lake ${tables[0][0]}, ticks that began late ${late} of ${SECONDS * 4}; exit ${await caracal.stop()}`,
)
if (Number(tables[0][0]) !== sent) process.exit(1)
