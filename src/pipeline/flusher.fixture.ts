import type { TableSpec } from '../model/column.ts'
import type { LakeWriter, RejectedRow } from '../stages/store/lake.ts'
import { readBlock } from '../util/block/read.ts'
import { RetryLater } from '../util/errors.ts'
import { stringifyJson } from '../util/json.ts'

/** A lake with the real one's guarantee: a token inserts at most once. `fails` decides the outcome of the n-th insert. */
export class MemoryLake implements LakeWriter {
  readonly tokens = new Map<string, string>()
  readonly calls: { token: string; text: string }[] = []
  fails: (nth: number) => 'before' | 'after' | undefined = () => undefined
  rejects: (line: string) => boolean = () => false
  async ensure(_table?: TableSpec, _late?: boolean): Promise<void> {}
  async insert(table: TableSpec, blocks: readonly Uint8Array[], token: string): Promise<readonly RejectedRow[]> {
    const text = blocks.flatMap((block) => readBlock(table.columns, block).map((row) => `${stringifyJson(row)}\n`)).join('')
    this.calls.push({ token, text })
    const what = this.fails(this.calls.length)
    if (what === 'before') throw new RetryLater('the lake is away')
    const lines = text.trimEnd().split('\n')
    const rejected = lines.flatMap((line, index) => (this.rejects(line) ? [{ index, message: 'no' }] : []))
    if (!this.tokens.has(token)) {
      const kept = lines.filter((line) => !this.rejects(line))
      this.tokens.set(token, kept.map((line) => `${table.database}.${table.table} ${line}`).join('\n'))
    }
    if (what === 'after') throw new RetryLater('the answer was lost')
    return rejected
  }
  get rows(): string[] {
    return [...this.tokens.values()].flatMap((text) => (text === '' ? [] : text.split('\n')))
  }
}
