import { readFileSync, statSync } from 'node:fs'
import type { Reproduced } from '../engine/bundles/reproduce.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import { printable } from '../util/terminal.ts'
import type { Io } from './io.ts'

/** Decides again what a bundle says was decided, and prints the outcome. Resolves with the exit code: 1 if anything is not as it was. */
export async function runBundle(file: string, io: Io): Promise<number> {
  const { MAX_BUNDLE_BYTES } = await import('../engine/bundles/bundle.ts')
  const { reproduce } = await import('../engine/bundles/reproduce.ts')
  const outcome = await reproduce(readBundle(file, MAX_BUNDLE_BYTES), file)
  await io.write(`${outcomeLines(outcome).map(printable).join('\n')}\n`)
  return isSame(outcome) ? 0 : 1
}

function readBundle(file: string, maxBytes: number): Uint8Array {
  try {
    const { size } = statSync(file)
    if (size > maxBytes) throw new ConfigError(`is ${size} bytes long; a bundle has at most ${maxBytes}`, { file })
    return readFileSync(file)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`cannot be read: ${messageOf(error)}`, { file }, { cause: error })
  }
}

function isSame({ changed, differences }: Reproduced): boolean {
  return changed.length + differences.length === 0
}

function outcomeLines(outcome: Reproduced): string[] {
  const { alertId, ruleId, matches, changed, differences, notes } = outcome
  const about = `alert ${alertId} of rule ${ruleId}`
  const head = isSame(outcome)
    ? `reproduced: ${about}: ${matches === 1 ? '1 match' : `${matches} matches`}, all as decided then`
    : `${differences.length > 0 ? 'not reproduced' : 'reproduced, but the bundle has been changed'}: ${about}`
  return [
    head,
    ...changed.map((sentence) => `  changed: ${sentence}`),
    ...differences.map((sentence) => `  differs: ${sentence}`),
    ...notes.map((sentence) => `  note: ${sentence}`),
  ]
}
