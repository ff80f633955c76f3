// Stands in for journalctl where there is none: prints the entries of a file in the journal export format, --file=PATH, behind
// --after-cursor, and with --follow what is added to it. The file beside it that ends in `.fail` makes it fail with its text.
import { existsSync, readFileSync } from 'node:fs'

const options = new Map(process.argv.slice(2).map((argument) => argument.split(/=(.*)/s, 2)))
const path = options.get('--file')
if (existsSync(`${path}.fail`)) {
  process.stderr.write(readFileSync(`${path}.fail`))
  process.exit(1)
}

let printed = 0
function print() {
  const entries = readFileSync(path, 'latin1')
    .split('\n\n')
    .slice(0, -1)
    .map((entry) => `${entry}\n\n`)
  const after = entries.findIndex((entry) => entry.startsWith(`__CURSOR=${options.get('--after-cursor')}\n`))
  for (const entry of entries.slice(Math.max(printed, after + 1))) process.stdout.write(entry, 'latin1')
  printed = entries.length
}

print()
if (options.has('--follow')) setInterval(print, 10)
