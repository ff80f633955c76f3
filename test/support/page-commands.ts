import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/util/entry.ts'

/** What begins a command line. Blocks without a language and indented lines also contain other things: configuration, output, SQL. */
const BEGINS = /^(?:\$ |sudo )?(?:caracal|curl|node|npm|npx|mkdir|cat|cd|journalctl|systemctl|git|docker|openssl|tar|sh|bash)\s/

/** A block of a page whose lines are commands: all of them in `sh`, those that begin like one elsewhere. */
const BLOCK = /^```(\w*)[^\n]*\n([\s\S]*?)^```$|^((?: {4}.*\n)+)/gm

/**
 * The command lines of a page such as `docs/alerts.md`, in order, without prompt and comment. A line that ends with a backslash or within
 * quotes continues on the next one.
 */
export function commandsOf(page: string): string[] {
  const text = `${readFileSync(join(packageRoot(), page), 'utf8')}\n`
  return [...text.matchAll(BLOCK)]
    .flatMap(([, language, fenced, indented]) => {
      if (indented !== undefined) return linesOf(indented.replaceAll(/^ {4}/gm, '')).filter((line) => BEGINS.test(line))
      if (language === 'sh') return linesOf(fenced!)
      return language === '' || language === 'console' ? linesOf(fenced!).filter((line) => BEGINS.test(line)) : []
    })
    .map((line) => line.replace(/^\$ /, '').replace(/ {2,}#[^'"]*$/, ''))
}

function linesOf(text: string): string[] {
  const commands: string[] = []
  let open = ''
  for (const line of text.split('\n')) {
    open = open === '' ? line : `${open}\n${line}`
    const quotes = open.replaceAll(/\\./g, '').match(/'/g)?.length ?? 0
    if (BEGINS.test(open) && (open.endsWith('\\') || quotes % 2 === 1)) continue
    if (open.trim() !== '') commands.push(open)
    open = ''
  }
  return open === '' ? commands : [...commands, open]
}

/** Commands that no test runs as the page has them, and why. Texts that a command contains. */
export const ELSEWHERE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'npm install && npm start': 'installs this package; `npm start` is what test/run-and-up.test.ts and test/e2e.test.ts start',
    'npm install && npm test': 'installs this package and runs every test, this one included',
    './panther-analysis':
      'needs the public repository: `npm run conformance:panther` runs its tests, test/from-panther-page.test.ts the same commands',
  },
  'CONTRIBUTING.md': {
    npm: 'scripts of this package, whose names test/docs.test.ts checks',
    'npx caracal': 'the same commands as on docs/start.md',
  },
  'docs/from-panther.md': { 'caracal up': 'serves until it is ended: test/e2e.test.ts' },
  'docs/lake.md': {
    'caracal lake init':
      'needs a ClickHouse server: test/lake-server.test.ts runs both, src/stages/store/clickhouse has the rest',
  },
  'docs/operations.md': {
    'caracal up': 'serves until it is ended: test/e2e.test.ts',
    'sudo caracal service install':
      'needs root and systemd: test/operations-page.test.ts prints the unit, src/cli/service/service.test.ts installs it elsewhere',
  },
  'docs/state.md': {
    systemctl: 'needs systemd and an installed service; what is between them are programs of PostgreSQL and of the system',
  },
  'docs/shippers.md': { journalctl: "needs systemd's journal: test/peers sends what the real one prints, where there is one" },
}
