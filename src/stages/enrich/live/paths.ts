import { join } from 'node:path'
import { tableFolder } from '../versions/files.ts'

/** Where a live table's answers are stored. */
export function answersPath(dataFolder: string, table: string): string {
  return join(tableFolder(join(dataFolder, 'tables'), table), 'answers.ndjson')
}

/** Where the addresses are stored that wait to be asked for. */
export function waitingPath(dataFolder: string, table: string): string {
  return join(tableFolder(join(dataFolder, 'tables'), table), 'waiting.txt')
}
