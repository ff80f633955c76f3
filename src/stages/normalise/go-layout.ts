/** Elements of Go's reference time (Mon Jan 2 15:04:05 MST 2006), longest first, and their strftime directives. */
const ELEMENTS: readonly (readonly [element: string, directive: string])[] = [
  ['January', '%B'],
  ['Monday', '%A'],
  ['Z07:00', '%z'],
  ['-07:00', '%z'],
  ['Z0700', '%z'],
  ['-0700', '%z'],
  ['2006', '%Y'],
  ['Jan', '%b'],
  ['Mon', '%a'],
  ['MST', '%Z'],
  ['002', '%j'],
  ['06', '%y'],
  ['01', '%m'],
  ['02', '%d'],
  ['_2', '%e'],
  ['15', '%H'],
  ['03', '%I'],
  ['04', '%M'],
  ['05', '%S'],
  ['PM', '%p'],
  ['pm', '%p'],
  ['1', '%m'],
  ['2', '%d'],
  ['3', '%I'],
  ['4', '%M'],
  ['5', '%S'],
]

/** A layout of Go's package `time` as a strftime format (https://pkg.go.dev/time#pkg-constants). */
export function strftimeOfLayout(layout: string): string {
  let format = ''
  for (let at = 0; at < layout.length; ) {
    const rest = layout.slice(at)
    const fraction = /^[.,][09]+(?!\d)/.exec(rest)?.[0]
    const [element, directive] = fraction
      ? [fraction, `${fraction[0]}%f`]
      : (ELEMENTS.find(([name]) => rest.startsWith(name)) ?? [rest[0]!, rest[0] === '%' ? '%%' : rest[0]!])
    format += directive
    at += element.length
  }
  return format
}
