// Compares what a detection's functions returned with what another engine says they return. A difference counts as explained only for
// these reasons, each of which lies in the detection and not in an engine:
//   order  values of a list or text that the detection makes from a set: Python promises no order
//   clock  the time of the run, here and there
//   uuid   a random UUID
//   words  an error whose text differs with the release of Python, or with the class that reports a wrong return type
//   stub   an error of a package that neither engine gives to detections, in the words of each
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** A date, with a time or without, or seconds, milliseconds since 1970. */
const TIME =
  /\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?|(?<![\w.])1\d{9}(?:\d{3}|\.\d+)?(?!\w)/g
/** Time zones, and a test that runs across midnight. */
const NEAR_MS = 36 * 3_600_000
const STUB = /^NotImplementedError\(.* is not available to rules, which have no network/

/**
 * `run`: {out: function → JSON text, errors: function → text}; `golden`: {out: function → value, errors}; `nowMs`: the time of the run.
 */
export function compareRun(run, golden, nowMs) {
  const explained = []
  const differences = []
  const is = Object.fromEntries(Object.entries(run.out).map(([name, text]) => [name, JSON.parse(text)]))
  for (const name of names(is, golden.out)) {
    const reasons = new Set()
    const where = differenceAt(is[name], goldenValue(name, golden.out[name]), name, { reasons, nowMs })
    if (where) differences.push(where)
    else if (reasons.size > 0) explained.push(`${name}: ${[...reasons].join(', ')}`)
  }
  for (const name of names(run.errors, golden.errors)) {
    const [here, there] = [run.errors[name], golden.errors[name]]
    if (here === there) continue
    if (here !== undefined && there !== undefined && withoutWords(here) === withoutWords(there))
      explained.push(`error of ${name}: words`)
    else if (there !== undefined && STUB.test(here)) explained.push(`error of ${name}: stub`)
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
function differenceAt(is, golden, path, seen) {
  const { reasons, nowMs } = seen
  if (Object.is(is, golden)) return undefined
  if (Array.isArray(is) && Array.isArray(golden)) return listDifference(is, golden, path, seen)
  if (isObject(is) && isObject(golden)) {
    for (const key of names(is, golden)) {
      const where = differenceAt(is[key], golden[key], `${path}.${key}`, seen)
      if (where) return where
    }
    return undefined
  }
  if (typeof is === 'string' && typeof golden === 'string') {
    if (UUID.test(is) && UUID.test(golden)) return void reasons.add(`uuid at ${path}`)
    if (tokens(is) === tokens(golden)) return void reasons.add(`order at ${path}`)
    if (isClock(is, golden, nowMs)) return void reasons.add(`clock at ${path}`)
  }
  if (typeof is === 'number' && typeof golden === 'number' && isClock(String(is), String(golden), nowMs))
    return void reasons.add(`clock at ${path}`)
  return `${path}: is ${shown(is)}, golden ${shown(golden)}`
}

function listDifference(is, golden, path, { reasons, nowMs }) {
  const inner = new Set()
  const inOrder =
    is.length === golden.length && is.every((item, at) => !differenceAt(item, golden[at], path, { reasons: inner, nowMs }))
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

/** True if two texts differ only in times: that of this run and an earlier one. */
function isClock(is, golden, nowMs) {
  const [here, there] = [is.match(TIME) ?? [], golden.match(TIME) ?? []]
  if (here.length === 0 || here.length !== there.length || is.replace(TIME, '') !== golden.replace(TIME, '')) return false
  return here.every(
    (text, at) => text === there[at] || (Math.abs(msOf(text) - nowMs) < NEAR_MS && msOf(there[at]) < nowMs + NEAR_MS),
  )
}

function msOf(text) {
  if (text.includes('-')) return Date.parse(text)
  const number = Number(text)
  return number < 1e11 ? number * 1000 : number
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value) {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
