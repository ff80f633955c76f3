import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** What a start begins with: the command, the threads, and the children except that of the sandbox, which may read only a few folders. */
const ENTRY = /^(cli\/main|stages\/store\/chdb-(child|examine)|.+-thread)\.js$/

/** Packages that find files of their own beside their code, or bring native code. */
const LEFT_OUT = /^(@guanmingchiu\/sqlparser-ts|chdb|kafkajs|libsql|pg|pg-native|pino|pyodide)(\/|$)/

/**
 * Puts each entry of a compiled folder and all that it imports into a few files, in the entry's place and below `chunks`: Node takes most of
 * the time of a start for finding and linking a thousand small files.
 */
export async function bundle(folder) {
  const { rolldown } = await import('rolldown')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.split(sep).join('/'))
  const entries = names.filter((name) => ENTRY.test(name))
  const build = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name.slice(0, -'.js'.length), join(folder, name)])),
    platform: 'node',
    external: LEFT_OUT,
    plugins: [placesOf(folder)],
    onLog: (_, log) => {
      throw new Error(`the bundle of ${log.id ?? 'the program'}: ${log.message}`)
    },
  })
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    intro: ({ fileName }) =>
      `const compiledFolder = new URL("${'../'.repeat(fileName.split('/').length - 1) || './'}", import.meta.url)`,
  })
  await build.close()
  writeFileSync(join(folder, 'chunks/LICENSES.txt'), licences(output.flatMap((file) => file.moduleIds ?? [])))
}

/** A module that looks for files beside itself finds them where it was compiled to. */
function placesOf(folder) {
  return {
    name: 'places',
    transform(code, id) {
      if (!id.startsWith(folder) || !code.includes('import.meta.url')) return null
      const place = relative(folder, id).split(sep).join('/')
      return { code: code.replaceAll('import.meta.url', `new URL("${place}", compiledFolder).href`), map: null }
    },
  }
}

/** The licences of the packages whose code is in the bundle. */
function licences(modules) {
  const folders = new Set(modules.map((id) => id.match(/^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/)?.[0]).filter(Boolean))
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
      return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
