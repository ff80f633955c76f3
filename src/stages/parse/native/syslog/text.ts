export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** `2003-10-11T22:14:15…`: the rest is checked by the schema's time formats. */
export function isIsoTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/.test(text.slice(0, 19))
}

/** rsyslog puts a space before the message, some programs several. */
export function withoutSpaces(text: string): string {
  let at = 0
  while (text.charCodeAt(at) === 0x20) at++
  return text.slice(at)
}
