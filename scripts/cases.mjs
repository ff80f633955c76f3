// Runs the cases below DIR (a folder each, with its input and a README that describes the right result) against the built program:
// `npm run cases -- DIR [NUMBER…]`. Prints a line per case; exit code 1 if the result of one is wrong or it has no check.
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CASES, isCase } from './cases/list.mjs'

const [given, ...numbers] = process.argv.slice(2)
if (!given) {
  console.error('Usage: npm run cases -- DIR [NUMBER…] (the folder that holds a folder a case)')
  process.exit(2)
}
const dir = resolve(given)
const names = readdirSync(dir)
  .filter((name) => isCase(join(dir, name)))
  .filter((name) => numbers.length === 0 || numbers.some((number) => name.startsWith(number)))
  .sort()
let wrong = 0
for (const name of names) {
  try {
    const check = CASES[name]
    if (!check) throw new Error('scripts/cases/list.mjs has no check for it')
    console.log(`right  ${name}: ${await check(join(dir, name))}`)
  } catch (error) {
    wrong++
    console.log(`WRONG  ${name}: ${error instanceof Error ? error.message : error}`)
  }
}
console.log(`${names.length} cases, ${names.length - wrong} right, ${wrong} wrong`)
process.exitCode = wrong === 0 && names.length > 0 ? 0 : 1
