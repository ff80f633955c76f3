import type { EvaluateAnswer, TamperingAnswer } from '../sandbox/protocol.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The answer of one part of a crossing from `_caracal/engine.py`, not yet validated. */
type Part = Partial<EvaluateAnswer & TamperingAnswer> & { readonly failed?: unknown; readonly looked?: unknown }

/** A rule that was judged apart from the others: its number in the request. */
export interface Suspect {
  readonly number: number
  readonly answer: Uint8Array
}

/**
 * Combines the answers of a crossing's ordinary rules and of each suspect after them. The ordinary rules' answer was out
 * of the interpreter's reach before the first suspect ran. A suspect that answers for others, or after which the check
 * compared less than `watched`, has tampered.
 */
export function joinParts(first: Uint8Array, suspects: readonly Suspect[], watched: number): Uint8Array {
  const whole = read(first)
  if (!whole?.rows || !whole.seconds || !whole.cacheWrites || !whole.cacheEvictions) return first
  const rows = [...whole.rows]
  const seconds = [...whole.seconds]
  const cacheWrites = [...whole.cacheWrites]
  const cacheEvictions = [...whole.cacheEvictions]
  for (const { number, answer } of suspects) {
    const part = read(answer)
    if (!part) return tampered(number, 'the engine’s response')
    if (!Array.isArray(part.rows) || !Array.isArray(part.seconds) || !Array.isArray(part.cacheWrites)) return answer
    if (!Array.isArray(part.cacheEvictions)) return answer
    if (typeof part.looked !== 'number' || part.looked < watched) return tampered(number, 'the change detection')
    if (part.rows.some((row) => !Array.isArray(row) || row[1] !== number)) return tampered(number, 'findings')
    rows.push(...part.rows)
    cacheWrites.push(...part.cacheWrites)
    cacheEvictions.push(...part.cacheEvictions)
    seconds[number] = part.seconds[number] ?? 0
  }
  return encoder.encode(JSON.stringify({ rows, seconds, cacheWrites, cacheEvictions }))
}

function read(answer: Uint8Array): Part | undefined {
  try {
    const part = JSON.parse(decoder.decode(answer)) as Part | null
    return typeof part === 'object' && part ? part : undefined
  } catch {
    return undefined
  }
}

/** The answer that names a rule and the shared state it changed. */
export function tampered(number: number, what: string): Uint8Array {
  return encoder.encode(JSON.stringify({ changed: [number, what] } satisfies TamperingAnswer))
}

/** True if the rules were judged; false if one tampered or the engine failed. */
export function isJudged(answer: Uint8Array): boolean {
  const part = read(answer)
  return part !== undefined && !('changed' in part) && !('failed' in part)
}
