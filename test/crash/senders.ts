import { appendFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { S3Store } from '../support/s3-store.ts'

/** One record of the crash test as a line. */
export function line(seq: number, lane: string): string {
  const group = `g${seq % 37}`
  return `{"seq":${seq},"lane":"${lane}","group":"${group}","ip":"203.0.113.${seq % 250}"}\n`
}

/** A record that is not JSON: one dead letter. */
const BROKEN = '{"seq": broken\n'

export interface Sent {
  /** Acknowledged: must be stored exactly once. */
  readonly sure: number[]
  /** The connection broke before the response: all or none of the body must be stored, once. */
  readonly unsure: number[][]
  broken: number
  unsureBroken: number
}

/**
 * Posts bodies of `size` records until `total` are sent. Bodies without a response are not sent again: otherwise duplicates
 * could not be distinguished from the sender's own repeats.
 */
export async function sendByHttp(
  port: () => number,
  token: () => string,
  total: number,
  size: number,
  stopped: () => boolean,
): Promise<Sent> {
  const sent: Sent = { sure: [], unsure: [], broken: 0, unsureBroken: 0 }
  let seq = 0
  let body = 0
  while (seq < total && !stopped()) {
    const seqs = Array.from({ length: Math.min(size, total - seq) }, (_, i) => seq + i)
    const hasBroken = body++ % 10 === 0
    const text = seqs.map((n) => line(n, 'http')).join('') + (hasBroken ? BROKEN : '')
    const outcome = await post(port(), token(), text)
    if (outcome === 'again') {
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    if (outcome === 'taken') {
      sent.sure.push(...seqs)
      if (hasBroken) sent.broken++
    } else {
      sent.unsure.push(seqs)
      if (hasBroken) sent.unsureBroken++
    }
    seq += seqs.length
  }
  return sent
}

/** `again`: certainly not accepted (refused, or no connection); `unsure`: sent, no response. */
async function post(port: number, token: string, body: string): Promise<'taken' | 'again' | 'unsure'> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ingest/web`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
    })
    await response.arrayBuffer()
    return response.ok ? 'taken' : 'again'
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code
    return code === 'ECONNREFUSED' ? 'again' : 'unsure'
  }
}

/** Appends lines, one step every `pauseMs`, to a growing file that is moved away twice meanwhile. Numbers begin at `first`. */
export async function writeFiles(
  folder: string,
  first: number,
  total: number,
  step: number,
  pauseMs: number,
): Promise<{ seqs: number[]; broken: number }> {
  const seqs: number[] = []
  let broken = 0
  for (let n = 0; n < total; n += step) {
    const batch = Array.from({ length: Math.min(step, total - n) }, (_, i) => first + n + i)
    let text = batch.map((seq) => line(seq, 'file')).join('')
    if (n % (step * 16) === 0) {
      text += BROKEN
      broken++
    }
    appendFileSync(join(folder, 'app.log'), text)
    seqs.push(...batch)
    if (n > 0 && Math.floor((3 * n) / total) !== Math.floor((3 * (n - step)) / total))
      renameSync(join(folder, 'app.log'), join(folder, `app.log.${n}`))
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return { seqs, broken }
}

/** Puts an object with lines into a bucket every `pauseMs`; neither their keys nor their times are in order. Numbers begin at `first`. */
export async function writeObjects(
  store: S3Store,
  first: number,
  total: number,
  step: number,
  pauseMs: number,
): Promise<{ seqs: number[]; broken: number }> {
  const seqs: number[] = []
  let broken = 0
  for (let n = 0; n < total; n += step) {
    const batch = Array.from({ length: Math.min(step, total - n) }, (_, i) => first + n + i)
    const hasBroken = n % (step * 16) === 0
    if (hasBroken) broken++
    const text = batch.map((seq) => line(seq, 'bucket')).join('') + (hasBroken ? BROKEN : '')
    const nth = n / step
    const modified = new Date(Date.UTC(2024, 2, 12, 8) + (nth ^ 7) * 1000).toISOString()
    store.objects.set(`app/${(nth * 7919) % 1000}_${nth}.gz`, { content: gzipSync(text), modified })
    seqs.push(...batch)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return { seqs, broken }
}
