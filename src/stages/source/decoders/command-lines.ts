import type { BodyDecoder } from './decoder.ts'
import { hecRaw } from './hec-raw.ts'
import { logTypeOf } from './re-encoded.ts'

/** What one of the commands of a source printed; the parameter `log_type` says what its lines are. */
export const commandLines: BodyDecoder = {
  kind: 'body',
  type: 'command-lines',
  summary: 'Lines that a command printed: each is a record of the log type that belongs to the command.',
  example: { body: 'Module Size Used by\nxfs 1 0\n\n', records: ['Module Size Used by', 'xfs 1 0'] },
  decode(body, parameters) {
    const lines = hecRaw.decode(body, new URLSearchParams())
    if ('broken' in lines) return lines
    const logType = logTypeOf(parameters.get('log_type'))
    return { ...lines, hints: lines.count > 0 ? [{ from: 0, hints: { logType } }] : [] }
  },
}
