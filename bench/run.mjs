// Every bench, one after the other, each in a separate process.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib.mjs'

const stages = join(root, 'bench/stages')
const files = [
  ...(existsSync(stages)
    ? readdirSync(stages)
        .filter((name) => name.endsWith('.bench.mjs'))
        .map((name) => join(stages, name))
    : []),
  join(root, 'bench/path.bench.mjs'),
  join(root, 'bench/latency.bench.mjs'),
  join(root, 'bench/idle.bench.mjs'),
]
let failed = 0
for (const file of files) {
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' })
  if (status !== 0) failed++
}
process.exit(failed > 0 ? 1 : 0)
