import { appendFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { line } from '../crash/senders.ts'
import { tryToPost } from './post.ts'

/** Number of records of one body, and of one step of the file. */
export const BODY_RECORDS = 100
/** Each feed has a range of numbers of its own. */
const RANGE = 10_000_000
const BROKEN = '{"seq": broken\n'

/** What was sent over HTTP or written to the file. Bodies are named by their number: that of their records, divided by `BODY_RECORDS`. */
export class Load {
  /** Acknowledged, or written to the file: stored once. */
  readonly sure = new Set<number>()
  /** Without an answer, or answered with an error: stored once as a whole, or not at all. */
  readonly unsure = new Set<number>()
  /** Records that are not JSON: of acknowledged bodies, of the others, and of the file. */
  readonly broken = { sure: 0, unsure: 0, file: 0 }
  fileBodies = 0
  /** Refused because the node that was asked is not active, or starts. Sent again. */
  refused = 0
  readonly #next = new Map<string, number>()
  readonly #pauseMs: number

  constructor(perSecond: number, feeds: number) {
    this.#pauseMs = (BODY_RECORDS * feeds * 1000) / perSecond
  }

  /** Number of records that must be stored. */
  get records(): number {
    return this.sure.size * BODY_RECORDS
  }

  /** Posts bodies, one after the other, to the port of the moment. `feed` is the number of the feed. */
  async post(feed: number, lane: string, port: (attempt: number) => number, token: string, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const { body, text, hasBroken } = this.#body(feed, lane)
      for (let attempt = 0; ; attempt++) {
        const answer = await tryToPost(port(attempt), token, 'web', text)
        if (answer === 'again' && !isOver()) {
          this.refused++
          await sleep(100)
          continue
        }
        if (answer === 'taken') this.sure.add(body)
        if (answer === 'unsure') this.unsure.add(body)
        if (hasBroken && answer === 'taken') this.broken.sure++
        if (hasBroken && answer === 'unsure') this.broken.unsure++
        break
      }
      await sleep(this.#pauseMs)
    }
  }

  /** Appends to a file, which is moved away after every 60 steps. */
  async write(feed: number, folder: string, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const { body, text, hasBroken } = this.#body(feed, 'file')
      appendFileSync(join(folder, 'app.log'), text)
      this.sure.add(body)
      this.fileBodies++
      if (hasBroken) this.broken.file++
      if (this.fileBodies % 60 === 0) renameSync(join(folder, 'app.log'), join(folder, `app.log.${body}`))
      await sleep(this.#pauseMs)
    }
  }

  #body(feed: number, lane: string): { readonly body: number; readonly text: string; readonly hasBroken: boolean } {
    const first = this.#next.get(lane) ?? feed * RANGE
    this.#next.set(lane, first + BODY_RECORDS)
    const body = first / BODY_RECORDS
    const lines = Array.from({ length: BODY_RECORDS }, (_, i) => line(first + i, lane))
    const hasBroken = body % 10 === 0
    return { body, text: lines.join('') + (hasBroken ? BROKEN : ''), hasBroken }
  }
}
