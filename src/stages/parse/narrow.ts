import type { ParseSource } from './parser.ts'

/** Narrows sources to the log types that a chunk names; the same source and names always give the same object. */
export class Narrowing {
  readonly #known = new WeakMap<ParseSource, Map<string, ParseSource>>()

  /** The source as if the user had named only these log types for it. */
  of(source: ParseSource, logTypes: readonly string[] | undefined): ParseSource {
    if (logTypes === undefined || logTypes.length === 0) return source
    const known = this.#known.get(source) ?? new Map<string, ParseSource>()
    this.#known.set(source, known)
    const name = logTypes.join('\n')
    const narrowed = known.get(name) ?? narrow(source, logTypes)
    known.set(name, narrowed)
    return narrowed
  }
}

function narrow(source: ParseSource, logTypes: readonly string[]): ParseSource {
  const wanted = new Set(logTypes.map((logType) => logType.toLowerCase()))
  return {
    ...source,
    schemas: source.schemas.filter(({ name }) => wanted.has(name.toLowerCase())),
    isNamed: true,
    describe: undefined,
    logType: logTypes.length === 1 ? logTypes[0] : undefined,
  }
}
