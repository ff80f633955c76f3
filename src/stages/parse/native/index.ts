import type { NativeParser } from './native.ts'

/** Built-in parsers of text formats. A new one is one file in this folder and one name here. */
export const nativeParsers: readonly NativeParser[] = []
