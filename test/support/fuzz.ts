import { strict as assert } from 'node:assert'
import fc from 'fast-check'

/**
 * Number of cases for a test with random foreign input: 1,000 unless the test needs another number to stay quick. `npm run fuzz`
 * sets `FUZZ_RUNS` to 100,000 and runs every test file that uses this.
 */
export function fuzzRuns(usual = 1000): number {
  const wanted = process.env['FUZZ_RUNS']
  if (wanted === undefined) return usual
  const runs = Number(wanted)
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`FUZZ_RUNS is a number of cases, not '${wanted}'`)
  return runs
}

/** The time limit of a test whose own is not the default: a long run has hours. */
export function fuzzTimeoutMs(usual: number): number {
  return process.env['FUZZ_RUNS'] === undefined ? usual : 12 * 3_600_000
}

/** Texts of the format with parts cut out, doubled and mixed, and texts of any other kind. */
export function damaged(texts: readonly string[]): fc.Arbitrary<string> {
  const known = fc.constantFrom(...texts)
  const place = fc.nat(400)
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ maxLength: 400 }),
    fc
      .tuple(known, place, place, fc.string({ maxLength: 6 }))
      .map(([text, from, to, more]) => text.slice(0, from) + more + text.slice(to)),
    fc.tuple(known, known, place).map(([a, b, at]) => a.slice(0, at) + b),
    fc
      .tuple(known, place, fc.nat(50))
      .map(([text, at, times]) => text.slice(0, at) + text.slice(at, at + 3).repeat(times) + text.slice(at)),
  )
}

/** Bytes of the format with parts cut out, changed, doubled and mixed, and any other bytes. */
export function damagedBytes(bodies: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const known = fc.constantFrom(...bodies).map((body) => Buffer.from(body))
  const place = fc.nat(Math.max(...bodies.map(({ length }) => length)))
  return fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(known, place, place, fc.uint8Array({ maxLength: 8 }))
      .map(([body, from, length, more]) => Buffer.concat([body.subarray(0, from), more, body.subarray(from + length)])),
    fc.tuple(known, fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 })).map(([body, changes]) => {
      for (const [at, byte] of changes) if (at < body.length) body[at] = byte
      return body
    }),
    fc.tuple(known, known, place).map(([a, b, at]) => Buffer.concat([a.subarray(0, at), b])),
    fc
      .tuple(known, place, fc.nat(30))
      .map(([body, at, times]) =>
        Buffer.concat([body.subarray(0, at), ...new Array<Buffer>(times).fill(body.subarray(at, at + 4)), body.subarray(at)]),
      ),
  )
}

/** Sixteen times the text takes about sixteen times the processor time; quadratic would be 256 times. */
export function assertLinear(parse: (text: string) => unknown, texts: readonly string[]): void {
  const micros = (text: string) => {
    const before = process.cpuUsage()
    parse(text)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  for (const text of texts) {
    for (const part of [text, text.slice(0, 3), ' ', '\n', '"', '\\', '=', '[', '{', '<', '%', 'a']) {
      const of = (length: number) => (text + part.repeat(length / part.length + 1)).slice(0, length)
      const [short, long] = [of(1 << 12), of(1 << 16)]
      micros(short)
      // What else the process does counts against one attempt, not against all.
      const isLinear = [1, 2, 3].some(() => micros(long) / Math.max(micros(short), 400) < 80)
      assert.ok(isLinear, `takes time out of proportion to a text with many ${JSON.stringify(part.slice(0, 40))}`)
    }
  }
}
