// Loaded with `--import file:…/stepped-clock.mjs?file=PATH`: the process and its threads believe that it is as many milliseconds later as
// the file says. A test steps their clock by writing the file; what the main thread has read of it is in PATH.seen.
import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = new URL(import.meta.url).searchParams.get('file')
let ahead = Number.NaN
function read() {
  const text = readFileSync(file, 'utf8')
  // Empty while it is being written.
  if (text === '' || Number(text) === ahead) return
  ahead = Number(text)
  if (isMainThread) writeFileSync(`${file}.seen`, text)
}
read()
setInterval(read, 20).unref()
const RealDate = globalThis.Date
class SteppedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + ahead)
    else super(...given)
  }

  static now() {
    return RealDate.now() + ahead
  }
}

globalThis.Date = SteppedDate
