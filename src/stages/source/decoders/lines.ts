import type { TextDecoder } from './decoder.ts'

/**
 * Text that no other decoder claims: each line is a record. This includes Zeek's tab-separated logs; their header is read by the log
 * format.
 */
export const lines: TextDecoder = {
  kind: 'text',
  type: 'lines',
  summary: 'One record per line: plain text, JSON objects, Zeek’s tab-separated logs.',
  example: { body: 'first line\r\n\n  second [line]\nthird', records: ['first line', 'second [line]', 'third'] },
  begins: () => true,
  step: (walk) => walk.line(),
}
