/**
 * Makes untrusted text safe for a terminal: control characters, line breaks and bidirectional overrides become visible escapes.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`)
}
