import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { riskEntitySchema } from '../../api/routes/risk.ts'
import { ENTITY_KINDS } from '../../model/risk.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count } from '../style.ts'

type Entity = z.output<typeof riskEntitySchema>
type Page = { readonly results: readonly Entity[]; readonly next: string | null; readonly threshold: number | null }

interface Flags extends ServerFlags {
  readonly kind?: string
  readonly prefix?: string
  readonly min?: string
  readonly limit: number
}

const KINDS = [...new Set(Object.values(ENTITY_KINDS))]

const HELP = `
With an entity, what each rule has contributed; its kind is then needed.

Examples:
  caracal risk
  caracal risk --kind user --min 50
  caracal risk --prefix 192.0.2.
  caracal risk ana --kind user`

export function registerRisk(program: Command, io: Io): void {
  withServer(program.command('risk').summary('addresses, users and others by their risk'))
    .description('Lists entities by risk, most first: what the rules that matched their events add up to.')
    .argument('[entity]', 'only this one')
    .addOption(new Option('--kind <kind>', 'only entities of this kind').choices(KINDS))
    .option('--prefix <text>', 'only entities that begin with this')
    .option('--min <score>', 'only those with at least this score')
    .option('--limit <n>', 'maximum number of entities', wholeNumber, 50)
    .addHelpText('after', HELP)
    .action((entity: string | undefined, flags: Flags) => (entity === undefined ? list(flags, io) : show(entity, flags, io)))
}

async function list(flags: Flags, io: Io): Promise<void> {
  const client = clientOf(flags, io)
  const found: Entity[] = []
  let page: Page | undefined
  do {
    const query = new URLSearchParams({
      limit: String(Math.min(200, flags.limit - found.length)),
      ...(flags.kind !== undefined && { kind: flags.kind }),
      ...(flags.prefix !== undefined && { prefix: flags.prefix }),
      ...(flags.min !== undefined && { min_score: flags.min }),
      ...(page?.next && { cursor: page.next }),
    })
    page = await client.json<Page>(`/api/v1/risk?${query}`)
    found.push(...page.results)
  } while (page.next !== null && found.length < flags.limit)
  if (flags.json) return io.out(found.map((entity) => `${JSON.stringify(entity)}\n`).join(''))
  if (page.threshold === null) return io.out('Risk is off: `risk` in caracal.yml turns it on.\n')
  if (found.length === 0) return io.out('No entities.\n')
  const rows = found.map(({ kind, entity, score, alerted, rules, last_time }) => [
    { text: String(score), isNumber: true },
    { text: kind },
    { text: printable(entity) },
    { text: alerted ? 'yes' : '-' },
    { text: count(rules.length), isNumber: true },
    { text: `${last_time.slice(0, 19)}Z` },
  ])
  io.out(`${columns(['RISK', 'KIND', 'ENTITY', 'ALERT', 'RULES', 'LAST'], rows, widthOf(io)).join('\n')}\n`)
  if (page.next !== null) io.err(`There are more: --limit ${flags.limit * 2} shows them.\n`)
}

async function show(entity: string, flags: Flags, io: Io): Promise<void> {
  if (flags.kind === undefined) throw new UsageError(`say what '${entity}' is, with --kind: ${KINDS.join(', ')}`)
  const query = new URLSearchParams({ kind: flags.kind, entity })
  const found = await clientOf(flags, io).json<Entity & Pick<Page, 'threshold'>>(`/api/v1/risk/entity?${query}`)
  if (flags.json) return io.out(`${JSON.stringify(found)}\n`)
  const rows = found.rules.map(({ rule_id, points, times, last_time }) => [
    { text: String(points), isNumber: true },
    { text: count(times), isNumber: true },
    { text: rule_id },
    { text: `${last_time.slice(0, 19)}Z` },
  ])
  const alerted = found.alerted ? ', and it has an alert' : ''
  io.out(`${printable(`The risk of ${found.kind} ${found.entity} is ${found.score} of ${found.threshold}${alerted}.`)}\n\n`)
  io.out(`${columns(['POINTS', 'TIMES', 'RULE', 'LAST'], rows, widthOf(io)).join('\n')}\n`)
}

function widthOf(io: Io): number {
  return io.isTty ? io.columns : Number.POSITIVE_INFINITY
}

function wholeNumber(text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1 || n > 100_000) throw new UsageError(`--limit: '${text}' is not a number from 1 to 100000`)
  return n
}
