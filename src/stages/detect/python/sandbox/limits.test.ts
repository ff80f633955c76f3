import { describe, expect, test } from 'vitest'
import { type Beat, createWatch, type Meter } from '../interpreter/watch.ts'
import { Patience, type Verdict } from './patience.ts'

const LIMIT = 1000
/** Ratio of elapsed time to CPU time: the process has the machine to itself, or hardly any of it. */
const RATES = [1, 2, 20, 100] as const

/** A process and the wall clock. */
class Machine implements Meter {
  readonly #rate: number
  #wallMs = 5000
  #workMs = 700

  constructor(rate: number) {
    this.#rate = rate
  }

  now = () => this.#wallMs
  worked = () => this.#workMs

  work(ms: number, helpers = 0): void {
    this.#workMs += ms + helpers
    this.#wallMs += ms * this.#rate
  }

  /** Time passes while the process waits. */
  hang(ms: number): void {
    this.#wallMs += ms
  }
}

/** Runs a call of `workMs` in a child that reads its interrupt buffer each ms; true if it was interrupted; `worked` says when. */
function child(rate: number) {
  const machine = new Machine(rate)
  const beats: Beat[] = []
  const cells = new Uint32Array(8)
  const watch = createWatch(
    () => cells,
    8,
    (beat) => beats.push(beat),
    machine,
  )
  watch.begin(LIMIT)
  const call = (mark: number, workMs: number, step = () => machine.work(1)): number | undefined => {
    cells[2] = mark
    const from = machine.worked()
    while (machine.worked() - from < workMs) {
      if (watch.buffer[0] === 2) return machine.worked() - from
      step()
    }
    return undefined
  }
  return { machine, beats, cells, call }
}

describe('a call that checks whether it should stop', () => {
  test.each(RATES)('is left alone below its CPU time limit, with the clock %i times as fast', (rate) => {
    const { call, beats } = child(rate)
    for (let mark = 1; mark <= 5; mark++) expect(call(mark, LIMIT - 1)).toBeUndefined()
    expect(beats.every(({ interrupted }) => !interrupted)).toBe(true)
    // It reports continually.
    expect(beats.length).toBeGreaterThan(10)
  })

  test.each(RATES)('is interrupted once it has used up its limit, with the clock %i times as fast', (rate) => {
    const { call, beats, cells } = child(rate)
    const stopped = call(7, 10 * LIMIT)
    expect(stopped).toBeGreaterThanOrEqual(LIMIT)
    expect(stopped).toBeLessThan(1.2 * LIMIT)
    expect(beats.at(-1)).toMatchObject({ mark: 7, interrupted: true })
    expect(cells[3]).toBe(7)
    // The next call has a new limit.
    expect(call(8, LIMIT - 1)).toBeUndefined()
    expect(call(9, 10 * LIMIT)).toBeGreaterThanOrEqual(LIMIT)
  })

  test('is not stopped at once when it writes a limit of 0', () => {
    const { call, cells } = child(1)
    cells[4] = 0
    expect(call(1, 1)).toBeUndefined()
  })

  test('is not charged for other threads of the process', () => {
    const { call, machine } = child(1)
    // Four other threads compile: CPU time passes five times as fast as the clock.
    expect(call(1, 5 * (LIMIT - 10), () => machine.work(1, 4))).toBeUndefined()
  })

  test('has a tenth of the limit once the engine says so', () => {
    const { call, cells } = child(20)
    cells[4] = LIMIT / 10
    expect(call(1, 10 * LIMIT)).toBeLessThan(0.2 * LIMIT)
  })
})

const CHECK_MS = 25

/** Checks every 25 ms of the clock, until there is something to do or the given time has passed. */
function parent(rate: number, limit = LIMIT) {
  const machine = new Machine(rate)
  const patience = new Patience(limit, machine)
  const until = (workMs: number, each: () => void = () => {}): Verdict[] => {
    const from = machine.worked()
    const verdicts: Verdict[] = []
    while (machine.worked() - from < workMs) {
      machine.work(CHECK_MS / rate)
      each()
      const verdict = patience.check()
      if (verdict !== 'wait') verdicts.push(verdict)
      if (verdict === 'stop') break
    }
    return verdicts
  }
  return { machine, patience, until }
}

describe('a call that does not check whether it should stop', () => {
  test.each(RATES)('is left alone below its limit, with the clock %i times as fast', (rate) => {
    expect(parent(rate).until(LIMIT - 1)).not.toContain('stop')
  })

  test.each(RATES)('is stopped once it has used its limit, with the clock %i times as fast', (rate) => {
    const { machine, patience, until } = parent(rate)
    const from = machine.worked()
    // The next child is started early.
    expect(until(10 * LIMIT)).toEqual(['slow', 'stop'])
    expect(machine.worked() - from).toBeGreaterThanOrEqual(LIMIT)
    expect(machine.worked() - from).toBeLessThan(1.5 * LIMIT)
    expect(patience.tooLong).toBe('a call took longer than 1000 ms of processor time')
  })

  test('is ended when the signal does not stop it', () => {
    const { machine, patience, until } = parent(20)
    until(10 * LIMIT)
    const verdicts = new Set<Verdict>()
    for (let i = 0; i < 100_000 && !verdicts.has('end'); i++) {
      machine.work(1)
      verdicts.add(patience.check())
    }
    expect([...verdicts]).toEqual(['stop', 'end'])
  })

  test.each(RATES)('that swallows its interruption is stopped soon, with the clock %i times as fast', (rate) => {
    const { machine, patience, until } = parent(rate)
    const hear = () => patience.hear({ mark: 5, ms: machine.now() - 5000, interrupted: machine.worked() > 700 + LIMIT })
    until(LIMIT, hear)
    const from = machine.worked()
    expect(until(10 * LIMIT, hear)).toContain('stop')
    expect(machine.worked() - from).toBeLessThan(0.5 * LIMIT)
  })

  test.each(RATES)('that continues between two calls is stopped, with the clock %i times as fast', (rate) => {
    const { machine, patience, until } = parent(rate)
    const from = machine.worked()
    const hear = () => patience.hear({ mark: 0, ms: machine.now() - 5000, interrupted: false })
    expect(until(10 * LIMIT, hear)).toEqual(['slow', 'stop'])
    expect(machine.worked() - from).toBeGreaterThanOrEqual(2 * LIMIT)
  })

  test('that checks again, and later calls, are left alone', () => {
    const { patience, until } = parent(20)
    let n = 0
    expect(until(20 * LIMIT, () => patience.hear({ mark: ++n >> 4, ms: 0, interrupted: false }))).toEqual([])
    until(10 * LIMIT)
    patience.hear({ mark: 99_999, ms: 0, interrupted: false })
    expect(patience.check()).toBe('wait')
  })
})

describe('a call that hangs without working', () => {
  /** Checks while the process waits; returns the time until it was stopped, in ms, or undefined. */
  function hang(
    { machine, patience }: ReturnType<typeof parent>,
    mostMs: number,
    share = 0,
    step = CHECK_MS,
  ): number | undefined {
    const from = machine.now()
    while (machine.now() - from < mostMs) {
      machine.hang(step)
      if (share > 0) machine.work(step * share)
      if (patience.check() === 'stop') return machine.now() - from
    }
    return undefined
  }

  test('is stopped after half a minute, and killed if that does not help', () => {
    const waiting = parent(1)
    expect(hang(waiting, 60_000)).toBeCloseTo(30_000, -3)
    expect(waiting.patience.tooLong).toBe('a call did nothing for 30 s')
    let verdict: Verdict = 'stop'
    for (let ms = 0; ms < 15_000 && verdict === 'stop'; ms += CHECK_MS) {
      waiting.machine.hang(CHECK_MS)
      verdict = waiting.patience.check()
    }
    expect(verdict).toBe('end')
  })

  test('with a longer limit gets thirty times that limit, at most five minutes', () => {
    expect(hang(parent(1, 3000), 200_000)).toBeCloseTo(90_000, -3)
    expect(hang(parent(1, 60_000), 400_000)).toBeCloseTo(300_000, -3)
  })

  test('does not include one that works a little and is below its limit', () => {
    expect(hang(parent(1), 40_000, 0.02)).toBeUndefined()
  })

  test('does not include one whose machine was paused', () => {
    expect(hang(parent(1), 10 * 3_600_000, 0, 3_600_000)).toBeUndefined()
  })
})
