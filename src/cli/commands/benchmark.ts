import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { cacheFolder } from '../../config/env.ts'
import type { Rule } from '../../model/rule.ts'
import type { EventsByType } from '../../packs/benchmark.ts'
import { messageOf } from '../../util/errors.ts'
import { columns } from '../columns.ts'
import { type ContentFlags, selectContent, withContent } from '../content.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'

interface Flags extends ContentFlags {
  readonly events?: string
  readonly logType?: string
  readonly iterations: number
  readonly json?: boolean
}

const HELP = `
Without --events the rules judge the events of their own unit tests. A file contains one event per line, as JSON.
Times are for the rules alone; events/s is the total, with every rule of an event's log type.

Examples:
  caracal benchmark
  caracal benchmark --filter LogTypes=Zeek.Conn --events conn.ndjson --log-type Zeek.Conn`

export function registerBenchmark(program: Command, io: Io): void {
  withContent(program.command('benchmark'), 'rules')
    .summary('measure what each rule costs')
    .description('Measures how long each enabled rule takes for an event, and its share of the whole.')
    .option('--events <file>', 'events to judge, one JSON object per line')
    .option('--log-type <type>', 'log type of the events in --events')
    .option('--iterations <n>', 'how often the events are judged', iterations, 50)
    .option('--json', 'one JSON object per line, then a summary')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      process.exitCode = await benchmark(flags, io)
    })
}

function iterations(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a positive integer.')
  return Number(text)
}

async function benchmark(flags: Flags, io: Io): Promise<0 | 1> {
  const { measure } = await import('../../packs/benchmark.ts')
  const { createDetectors, endDetectors } = await import('../../packs/detectors.ts')
  const { scope } = await selectContent(flags, io)
  const { content, rules } = scope
  const judging = rules.filter((rule) => rule.enabled && (rule.kind ?? 'rule') === 'rule')
  const events = await eventsOf(flags, judging)
  if (judging.length === 0 || events.size === 0) {
    io.err(`There is nothing to benchmark in ${scope.where}: no enabled rule with events.\n`)
    return 1
  }
  const detectors = await createDetectors({ ...content, rules: judging }, undefined, join(cacheFolder(io.env), 'python'))
  try {
    await report(await measure(events, detectors, flags.iterations), flags, io)
  } finally {
    await endDetectors(detectors)
  }
  return 0
}

async function eventsOf({ events: file, logType }: Flags, rules: readonly Rule[]): Promise<EventsByType> {
  const { testEvents } = await import('../../packs/benchmark.ts')
  if (file === undefined) return testEvents(rules)
  if (logType === undefined) throw new UsageError('--events needs --log-type, which determines the rules that judge the events')
  const lines = readEvents(file)
  return new Map(lines.length > 0 ? [[logType, lines]] : [])
}

function readEvents(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--events '${file}' cannot be read: ${messageOf(error)}`)
  }
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      if (typeof JSON.parse(line) === 'object') return [line.trim()]
    } catch {
      // Reported below.
    }
    throw new UsageError(`--events '${file}' line ${at + 1} is not a JSON object`)
  })
}

type Measured = Awaited<ReturnType<typeof import('../../packs/benchmark.ts')['measure']>>

async function report({ rules, events, eventsPerSecond, errors }: Measured, { json }: Flags, io: Io): Promise<void> {
  const rate = Math.round(eventsPerSecond)
  if (json) {
    const lines = rules.map(({ ruleId, events: seen, microsPerEvent, share }) =>
      JSON.stringify({ id: ruleId, events: seen, us_per_event: round(microsPerEvent, 2), share: round(share, 4) }),
    )
    const summary = { rules: rules.length, events, events_per_second: rate, rule_errors: errors }
    await io.write(`${[...lines, JSON.stringify({ summary })].join('\n')}\n`)
    return
  }
  const rows = rules.map(({ ruleId, events: seen, microsPerEvent, share }) => [
    { text: ruleId },
    { text: microsPerEvent.toFixed(2), isNumber: true },
    { text: `${(share * 100).toFixed(1)} %`, isNumber: true },
    { text: String(seen), isNumber: true },
  ])
  await io.write(`${columns(['rule', 'µs/event', 'share', 'events'], rows, io.columns).join('\n')}\n`)
  await io.write(`${rules.length} rules, ${events} events, ${rate} events/s, ${errors} rule errors\n`)
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
