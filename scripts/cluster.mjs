// Runs test/cluster: `npm run test:cluster`, `npm run test:cluster -- --full`, or `CLUSTER=short npm run test:cluster`.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [size, ...more] = process.argv.slice(2)
if (more.length > 0 || (size !== undefined && size !== '--full')) {
  console.error('Usage: npm run test:cluster [-- --full]; CLUSTER=short and CLUSTER_SEED=number are read from the environment')
  process.exit(2)
}
const env = { ...process.env, ...(size && { CLUSTER: 'full' }) }
const run = ['vitest', 'run', '--config', 'vitest.cluster.config.ts']
const { status } = spawnSync('npx', run, { cwd: join(dirname(fileURLToPath(import.meta.url)), '..'), stdio: 'inherit', env })
process.exitCode = status ?? 1
