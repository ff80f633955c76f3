// Compiles src to dist, copies the files that are not TypeScript (the Python that rule authors import, presets), bundles what a start loads and
// builds the console. Nothing happens if dist was built from the same files; without dist, everything does.
// The new dist replaces the old one in one step, so that running programs never find half of it.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildConsole } from './build-console.mjs'
import { bundle } from './bundle.mjs'
import { hashOfSources, isBuiltFrom, writeStamp } from './lib/built-from.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
let compiler
try {
  compiler = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
} catch {
  console.error('The TypeScript compiler is not installed: run `npm install` (with development dependencies) first.')
  process.exit(1)
}
const sources = hashOfSources(root)
if (isBuiltFrom(join(root, 'dist'), sources)) process.exit(0)
const fresh = join(root, `dist-${process.pid}`)
compile('tsconfig.build.json', fresh)
// Programs of others use the client with its types.
compile('tsconfig.client.json', join(fresh, 'client'))
const python = join(root, 'src/sdk/python')
if (existsSync(python))
  cpSync(python, join(fresh, 'sdk/python'), { recursive: true, filter: (path) => !path.includes('__pycache__') })
const presets = 'stages/source/poll/presets'
cpSync(join(root, 'src', presets), join(fresh, presets), { recursive: true })
// Python's memory right after its start, which saves seconds at each start of the program; rebuilt if it does not fit.
const { snapshot } = await import(pathToFileURL(join(fresh, 'stages/detect/python/sandbox/snapshot.js')).href)
await snapshot()
await readPacks()
await bundle(fresh)
await buildConsole(root, join(root, 'dist/console'), join(fresh, 'console'))
writeStamp(fresh, sources)
const old = join(root, `dist-old-${process.pid}`)
if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old)
renameSync(fresh, join(root, 'dist'))
rmSync(old, { recursive: true, force: true })

/** Reads the packs, which takes a second of each first start, and keeps what `packs/cache.ts` looks for. */
async function readPacks() {
  const { loadContent } = await import(pathToFileURL(join(fresh, 'packs/load.js')).href)
  const cache = join(fresh, 'packs-read')
  for (const tests of [false, true]) await loadContent([join(root, 'packs')], { tests, cache })
  // Caches are for their owner, this is for everybody who runs the program.
  chmodSync(cache, 0o755)
  for (const name of readdirSync(cache)) {
    const place = join(cache, `${name.split('-')[0]}-${'0'.repeat(16)}`)
    renameSync(join(cache, name), place)
    chmodSync(place, 0o644)
  }
}

/** Ends the build if it fails. */
function compile(project, folder) {
  const options = [compiler, '-p', join(root, project), '--outDir', folder]
  const { status } = spawnSync(process.execPath, options, { stdio: 'inherit', cwd: root })
  if (status === 0) return
  rmSync(fresh, { recursive: true, force: true })
  process.exit(status ?? 1)
}
