const PLAIN = new Intl.NumberFormat()
const SHORT = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })

export function number(value: number): string {
  return PLAIN.format(value)
}

/** `12.3K`, for places where the exact number is a hover away. */
export function shortNumber(value: number): string {
  return value < 10_000 ? PLAIN.format(value) : SHORT.format(value)
}

/** `1 alert`, `2 alerts`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`
}

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Decimal units. */
export function bytes(value: number): string {
  const power = Math.min(BYTES.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3))
  const scaled = value / 1000 ** power
  return `${scaled >= 100 || power === 0 ? Math.round(scaled) : scaled.toFixed(1)} ${BYTES[power]}`
}
