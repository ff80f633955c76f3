// How long our files are: the table behind the size rules of CONTRIBUTING.md.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|py)$/.test(file))
  .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))

function row(name, list) {
  const lines = list.map((entry) => entry.lines).sort((a, b) => a - b)
  const at = (share) => lines[Math.min(lines.length - 1, Math.floor(lines.length * share))] ?? 0
  const total = lines.reduce((sum, count) => sum + count, 0)
  const cells = [lines.length, total, at(0.5), at(0.9), lines.at(-1) ?? 0, lines.filter((count) => count > 400).length]
  console.log([name.padEnd(22), ...cells.map((cell) => String(cell).padStart(8))].join(''))
}

const isTest = ({ file }) => /\.(test|fixture)\.ts$/.test(file)
const code = files.filter((entry) => !isTest(entry))
console.log(
  ['folder'.padEnd(22), ...['files', 'lines', 'median', 'p90', 'longest', '> 400'].map((head) => head.padStart(8))].join(''),
)
const folderOf = ({ file }) =>
  file
    .split('/')
    .slice(0, file.startsWith('stages/') ? 2 : 1)
    .join('/')
for (const folder of [...new Set(code.map(folderOf))].sort())
  row(
    folder,
    code.filter((entry) => folderOf(entry) === folder),
  )
row('all without tests', code)
row('tests beside the code', files.filter(isTest))
for (const { file, lines } of code.filter((entry) => entry.lines > 400)) console.log(`over 400 lines: ${file} (${lines})`)
