import type { FlushPart } from '../../model/batch.ts'
import type { TableSpec } from '../../model/column.ts'
import { parseJson } from '../json.ts'
import { fittingBlocks, type UnfitRow, type ValueRow } from './encode.ts'

const BRACKET = 0x5b

/** True for rows written by version 0.1.0. */
export function hasJson({ blocks }: Pick<FlushPart, 'blocks'>): boolean {
  return blocks.some((block) => block[0] === BRACKET)
}

/** The rows of a part written by version 0.1.0. */
export function onlyJson({ spec, blocks }: Pick<FlushPart, 'spec' | 'blocks'>): Pick<FlushPart, 'spec' | 'blocks'> {
  return { spec, blocks: blocks.filter((block) => block[0] === BRACKET) }
}

/** Version 0.1.0 stored finished rows as NDJSON: returns the part with those converted to blocks, and its rows that do not fit. */
export function withoutJson({ spec, blocks }: Pick<FlushPart, 'spec' | 'blocks'>): {
  blocks: readonly Uint8Array[]
  unfit: readonly UnfitRow[]
} {
  if (!hasJson({ blocks })) return { blocks, unfit: [] }
  const unfit: UnfitRow[] = []
  const binary = blocks.flatMap((block) => {
    if (block[0] !== BRACKET) return [block]
    const made = blocksOfJson(spec, block)
    unfit.push(...made.unfit)
    return made.blocks
  })
  return { blocks: binary, unfit }
}

/** Converts NDJSON, one JSON array per row in column order, to blocks. */
export function blocksOfJson(spec: TableSpec, ndjson: Uint8Array): { blocks: Uint8Array[]; unfit: UnfitRow[] } {
  const lines = Buffer.from(ndjson.buffer, ndjson.byteOffset, ndjson.byteLength).toString('utf8').split('\n')
  const made = fittingBlocks(spec.columns, lines.filter(Boolean).map(valuesOf))
  return { blocks: made.blocks.map(({ rows }) => rows), unfit: made.unfit }
}

function valuesOf(line: string): ValueRow {
  const parsed = parseJson(line, { maxDepth: 2 })
  return parsed.kind === 'ok' && Array.isArray(parsed.value) ? parsed.value : []
}
