import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** In the built folder: what it was built from. */
const STAMP = 'built-from.txt'

/**
 * Builds the console into `folder`, or copies `before`, an earlier build, if it was built from the same files. Without a console in the
 * checkout, it does nothing.
 */
export async function buildConsole(root, before, folder) {
  const source = join(root, 'console')
  if (!existsSync(source)) return
  const stamp = stampOf(root, source)
  if (existsSync(join(before, STAMP)) && readFileSync(join(before, STAMP), 'utf8') === stamp) {
    cpSync(before, folder, { recursive: true })
    return
  }
  const { build } = await import('vite')
  await build({ configFile: join(source, 'vite.config.ts'), logLevel: 'warn', build: { outDir: folder } })
  writeFileSync(join(folder, STAMP), stamp)
}

/** The console's files, those of the client it uses, the documents it shows, and the versions of its libraries. */
function stampOf(root, source) {
  const hash = createHash('sha256')
  for (const folder of [source, join(root, 'src/client'), join(root, 'docs')]) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      const path = join(folder, name)
      if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path)).update('\0')
    }
  }
  for (const file of ['README.md', 'package-lock.json']) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}
