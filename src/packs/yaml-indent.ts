/** The reader's state between two lines. */
interface State {
  /** Open brackets. */
  depth: number
  /** The quote of the current text. */
  quote: '"' | "'" | undefined
  /** Strict readers treat lines indented less than this as outside of the current value. */
  indent: number
  /** Within a `|` or `>` text, whose lines are indented more than its key or its dash: that column. */
  block: number | undefined
}

/**
 * The text with those lines indented that continue a quoted text or a bracket and are indented too little. YAML requires them to be
 * indented more than their key; the reader of Panther's tool does not check, and pasted content often violates it. Leading space of such a
 * line has no meaning, so this changes nothing, not even line numbers. `undefined` if there is no such line.
 */
export function indentContinuations(text: string): string | undefined {
  const state: State = { depth: 0, quote: undefined, indent: 0, block: undefined }
  let isChanged = false
  const lines = text.split('\n').map((line) => {
    const isInside = state.depth > 0 || state.quote !== undefined
    const from = line.length - line.trimStart().length
    const isShort = isInside && from < state.indent && from < line.length && !line.slice(0, from).includes('\t')
    // Even within a quoted text, these lines end the document.
    if (isShort && /^(---|\.\.\.)(\s|$)/.test(line)) return line
    const indented = isShort ? ' '.repeat(state.indent - from) + line : line
    isChanged ||= isShort
    read(indented, state)
    return indented
  })
  return isChanged ? lines.join('\n') : undefined
}

function read(line: string, state: State): void {
  if (state.depth === 0 && state.quote === undefined) readBlock(line, state)
  else readInside(line, 0, state)
}

/** A line outside of brackets and quotes: dashes, keys, and where a value begins. */
function readBlock(line: string, state: State): void {
  const start = line.search(/[^ ]/)
  if (start < 0 || line[start] === '\r') return
  if (state.block !== undefined) {
    if (start > state.block) return
    state.block = undefined
  }
  let at = start
  let column = start
  let parent = start
  for (;;) {
    const dash = /^[-?] +/.exec(line.slice(at))
    if (dash) {
      parent = at
      at += dash[0].length
      column = at
      continue
    }
    at += /^(?:[&!*][^\s]* +)*/.exec(line.slice(at))![0].length
    const char = line[at]
    if (char === undefined || char === '#' || char === '\r') return
    if (char === '|' || char === '>') {
      state.block = parent
      return
    }
    if (char === '"' || char === "'" || char === '{' || char === '[') {
      state.indent = column + 1
      at = readInside(line, at, state)
      if (state.depth > 0 || state.quote !== undefined) return
    }
    const next = /^.*?:(?: +|(?=\r?$))/.exec(line.slice(at))
    if (!next || /(?:^| )#/.test(next[0])) return
    parent = column
    at += next[0].length
  }
}

/** Within brackets or quotes, from a position in a line to where all are closed; returns that position. */
function readInside(line: string, from: number, state: State): number {
  // A quote within a word (`it's`) begins nothing.
  let isStart = true
  for (let at = from; at < line.length; at++) {
    const char = line[at]!
    if (state.quote !== undefined) {
      if (char === '\\' && state.quote === '"') at++
      else if (char === state.quote) {
        if (char === "'" && line[at + 1] === "'") at++
        else state.quote = undefined
      }
      isStart = state.quote === undefined
      if (state.quote === undefined && state.depth === 0) return at + 1
      continue
    }
    if (char === ' ' || char === '\t' || char === '\r') continue
    if (char === '#' && (at === 0 || line[at - 1] === ' ' || line[at - 1] === '\t')) return line.length
    if ((char === '"' || char === "'") && isStart) state.quote = char
    else if (char === '{' || char === '[') state.depth++
    else if ((char === '}' || char === ']') && --state.depth === 0) return at + 1
    isStart =
      char === ',' || char === '{' || char === '[' || (char === ':' && (isStart || /^[\s,]|^$/.test(line.slice(at + 1, at + 2))))
  }
  return line.length
}
