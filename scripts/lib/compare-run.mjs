// Compares what a detection's functions returned with what another engine says they return. A difference counts as explained only for
// these reasons, each of which lies in the detection and not in an engine:
//   order  values of a list or text that the detection makes from a set: Python promises no order
//   date   the day of the run, which a link of the Tor metrics site carries
//   uuid   a random UUID
//   words  an error whose text differs with the release of Python, or with the class that tells of a wrong return type
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const TOR_DATE = /(metrics\.torproject\.org\/exonerator\.html\?.*?timestamp=)\d{4}-\d{2}-\d{2}/g

/** `run`: {out: function → JSON text, errors: function → text}; `golden`: {out: function → value, errors}. */
export function compareRun(run, golden) {
  const explained = []
  const differences = []
  const is = Object.fromEntries(Object.entries(run.out).map(([name, text]) => [name, JSON.parse(text)]))
  for (const name of names(is, golden.out)) {
    const reasons = new Set()
    const where = differenceAt(is[name], goldenValue(name, golden.out[name]), name, reasons)
    if (where) differences.push(where)
    else if (reasons.size > 0) explained.push(`${name}: ${[...reasons].join(', ')}`)
  }
  for (const name of names(run.errors, golden.errors)) {
    const [here, there] = [run.errors[name], golden.errors[name]]
    if (here === there) continue
    if (here !== undefined && there !== undefined && withoutWords(here) === withoutWords(there))
      explained.push(`error of ${name}: words`)
    else {
      differences.push(`error of ${name}: is ${shown(here)}, golden ${shown(there)}`)
    }
  }
  return { explained, differences }
}

/** The golden file holds an alert context as the text that would be stored. */
function goldenValue(name, value) {
  return name === 'alert_context' && typeof value === 'string' ? JSON.parse(value) : value
}

function names(a, b) {
  return new Set([...Object.keys(a), ...Object.keys(b)])
}

/** Where two values differ without a reason, or `undefined`; reasons met are added. */
function differenceAt(is, golden, path, reasons) {
  if (Object.is(is, golden)) return undefined
  if (Array.isArray(is) && Array.isArray(golden)) return listDifference(is, golden, path, reasons)
  if (isObject(is) && isObject(golden)) {
    for (const key of names(is, golden)) {
      const where = differenceAt(is[key], golden[key], `${path}.${key}`, reasons)
      if (where) return where
    }
    return undefined
  }
  if (typeof is === 'string' && typeof golden === 'string') {
    if (UUID.test(is) && UUID.test(golden)) return void reasons.add(`uuid at ${path}`)
    if (tokens(is) === tokens(golden)) return void reasons.add(`order at ${path}`)
    if (is.replace(TOR_DATE, '$1') === golden.replace(TOR_DATE, '$1')) return void reasons.add(`date at ${path}`)
  }
  return `${path}: is ${shown(is)}, golden ${shown(golden)}`
}

function listDifference(is, golden, path, reasons) {
  const inner = new Set()
  const inOrder = is.length === golden.length && is.every((item, at) => !differenceAt(item, golden[at], path, inner))
  if (inOrder) {
    for (const reason of inner) reasons.add(reason)
    return undefined
  }
  const sorted = (list) => JSON.stringify(list.map((item) => JSON.stringify(item)).sort())
  // A set holds scalars, each once; of a list of other things the order means something.
  const isSet = golden.every((item) => !isObject(item) && !Array.isArray(item)) && new Set(golden).size === golden.length
  if (isSet && sorted(is) === sorted(golden)) return void reasons.add(`order at ${path}`)
  return `${path}: is ${shown(is)}, golden ${shown(golden)}`
}

/** The words of a text whatever their order, if it has the look of a printed or joined set. */
function tokens(text) {
  return text.includes(', ') ? JSON.stringify(text.split(/[\s,{}:]+/).sort()) : text
}

function withoutWords(error) {
  return error
    .replace('is not a container or iterable', 'is not iterable')
    .replace(/^FunctionReturnTypeError\('detection \[.*?\] function \[(.*?)\] /, "TypeError('$1 ")
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value) {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
