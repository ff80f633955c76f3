import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cursor } from '../../src/model/batch.ts'
import { exported } from '../../src/stages/source/journald/journal.fixture.ts'
import type { Position } from '../../src/stages/source/journald/journalctl.ts'
import { JournaldSource } from '../../src/stages/source/journald/journald-source.ts'

/** A journal in a file that grows, and sources that read it through a program that stands in for journalctl. */
export class JournalFile {
  readonly folder = mkdtempSync(join(tmpdir(), 'caracal-journal-'))
  readonly path = join(this.folder, 'journal.export')
  readonly #opened: JournaldSource[] = []
  readonly #onWake = new Set<() => void>()
  #written = 0

  constructor() {
    writeFileSync(this.path, '')
  }

  open(
    cursors: readonly Cursor[],
    { start = { all: true }, maxRecordBytes = 1024 * 1024 }: { start?: Position; maxRecordBytes?: number } = {},
  ): JournaldSource {
    const source = new JournaldSource({
      id: 'journal',
      program: [process.execPath, fileURLToPath(new URL('journalctl.mjs', import.meta.url))],
      selection: [`--file=${this.path}`],
      start,
      missing: () => undefined,
      deps: { cursors, wake: () => this.#woken(), maxRecordBytes },
    })
    this.#opened.push(source)
    return source
  }

  /** Adds an entry for each text, with a cursor of its own. */
  write(texts: readonly string[]): void {
    const entry = (text: string) =>
      exported([
        ['__CURSOR', `s=1;i=${++this.#written}`],
        ['MESSAGE', text],
      ])
    appendFileSync(this.path, Buffer.concat(texts.map(entry)))
  }

  /** Whether nothing was written behind this position of a source. */
  isLast(at: object | undefined): boolean {
    return this.#written === 0 || JSON.stringify(at) === JSON.stringify({ after: `s=1;i=${this.#written}` })
  }

  /** Resolves when the condition holds, which is checked whenever a source has something to say. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      const woken = new Promise<void>((resolve) => this.#onWake.add(resolve))
      if (await condition()) return
      await woken
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#opened.map((source) => source.close()))
    rmSync(this.folder, { recursive: true })
  }

  #woken(): void {
    for (const resolve of this.#onWake) resolve()
    this.#onWake.clear()
  }
}
