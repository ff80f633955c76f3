import type { z } from 'zod'
import type { timelineSchema } from '../api/timeline-view.ts'
import { printable } from '../util/terminal.ts'
import type { Io } from './io.ts'
import { bold, count, faint } from './style.ts'

type Entry = z.output<typeof timelineSchema>

/** What happened to an alert, a line each; comments have their own lines. */
export function timelineLines(entries: readonly Entry[], io: Io): string[] {
  if (entries.length === 0) return []
  return ['', bold(io, 'Timeline'), ...entries.flatMap((entry) => lines(entry, io))]
}

function lines(entry: Entry, io: Io): string[] {
  const { time, by, kind, detail } = entry
  const who = by === null ? '' : `, by ${by}`
  const head = `  ${faint(io, time.replace(/\.\d+Z$/, 'Z'))}  ${printable(`${textOf(entry)}${who}`)}`
  if (kind !== 'comment') return [head]
  return [
    head,
    ...String(detail['text'])
      .trimEnd()
      .split(/\r?\n/)
      .map((line) => `      ${printable(line)}`),
  ]
}

function textOf({ kind, detail }: Entry): string {
  const { alert_id, event_count, severity, muted_by, added, from, to, destination, sent, error, field, reason } = detail
  switch (kind) {
    case 'opened':
      return `opened as ${severity} with ${events(event_count)}${muted_by === null ? '' : `, muted by ${muted_by}`}`
    case 'matches':
      return `${events(added)} joined: now ${count(Number(event_count))}`
    case 'severity':
      return `severity raised from ${from} to ${to}`
    case 'delivered':
      return `sent to ${destination} (${sent})`
    case 'failed':
      return `not sent to ${destination} (${sent}): ${error}`
    case 'changed':
      return `${String(field).replaceAll('_', ' ')}: ${value(from)} → ${value(to)}`
    case 'merged':
      return `alert ${alert_id} was merged into this one`
    case 'unmerged':
      return `alert ${alert_id} was taken out of this one`
    case 'held':
      return `put on hold: ${reason}`
    case 'released':
      return `released from hold: ${reason}`
    case 'comment':
      return 'comment'
  }
}

function events(n: unknown): string {
  return n === 1 ? '1 event' : `${count(Number(n))} events`
}

function value(of: unknown): string {
  if (of === null || (Array.isArray(of) && of.length === 0)) return '–'
  return Array.isArray(of) ? of.join(', ') : String(of)
}
