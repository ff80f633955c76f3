// Compiles src to dist and copies the files that are not TypeScript (the Python that rule authors import, presets). The new dist
// replaces the old one in one step, so that running programs never find half of it.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
let compiler
try {
  compiler = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
} catch {
  console.error('The TypeScript compiler is not installed: run `npm install` (with development dependencies) first.')
  process.exit(1)
}
const fresh = join(root, `dist-${process.pid}`)
const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh], {
  stdio: 'inherit',
  cwd: root,
})
if (status !== 0) {
  rmSync(fresh, { recursive: true, force: true })
  process.exit(status ?? 1)
}
const python = join(root, 'src/sdk/python')
if (existsSync(python))
  cpSync(python, join(fresh, 'sdk/python'), { recursive: true, filter: (path) => !path.includes('__pycache__') })
const presets = 'stages/source/poll/presets'
cpSync(join(root, 'src', presets), join(fresh, presets), { recursive: true })
// Python's memory right after its start, which saves seconds at each start of the program; rebuilt if it does not fit.
const { snapshot } = await import(pathToFileURL(join(fresh, 'stages/detect/python/sandbox/snapshot.js')).href)
await snapshot()
const old = join(root, `dist-old-${process.pid}`)
if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old)
renameSync(fresh, join(root, 'dist'))
rmSync(old, { recursive: true, force: true })
