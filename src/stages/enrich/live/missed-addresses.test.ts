import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { AddressBatch } from '../tables/address-batch.ts'
import { type Missed, MissedAddresses } from './missed-addresses.ts'

const MINUTE = 60_000

class World {
  readonly clock = new ManualClock()
  readonly reported: (readonly Missed[])[] = []
  report: () => Promise<void> = async () => {}
  readonly missed = new MissedAddresses((missed) => {
    this.reported.push(missed)
    return this.report()
  }, this.clock)

  note(...texts: string[]): void {
    const batch = new AddressBatch(texts.length)
    batch.read(texts)
    this.missed.of('verdicts')(batch, new Int32Array(texts.length).fill(-1))
  }

  get addresses(): string[] {
    return this.reported.flat().flatMap(({ addresses }) => addresses)
  }
}

describe('addresses that a live table lacks', () => {
  test('are handed over together, each once and in one spelling, without private ones and those with a row', async () => {
    const world = new World()
    world.note('45.1.2.3', '10.0.0.1', '::ffff:45.1.2.3', '45.1.2.3', 'no address', '2A00::4', '2a00:0::4', '127.0.0.1')
    // The same first word as 2a00:0:0:0::4.
    world.note('42.0.0.0')
    const batch = new AddressBatch(1)
    batch.read(['45.9.9.9'])
    world.missed.of('verdicts')(batch, Int32Array.of(7))
    expect(world.reported).toEqual([])
    await world.clock.advance(500)
    expect(world.reported).toEqual([[{ table: 'verdicts', addresses: ['45.1.2.3', '2a00::4', '42.0.0.0'], passedOver: 0 }]])
  })

  test('are handed over again if they still occur after a minute', async () => {
    const world = new World()
    for (let i = 0; i < 4; i++) {
      world.note('45.1.2.3')
      await world.clock.advance(MINUTE / 2)
    }
    expect(world.addresses).toEqual(['45.1.2.3', '45.1.2.3'])
  })

  test('cost no call while none occurs', async () => {
    const world = new World()
    world.note('10.0.0.1')
    await world.clock.advance(MINUTE)
    expect(world.reported).toEqual([])
    expect(world.clock.waiting).toBe(0)
  })

  test('are limited between two reports; those beyond are counted, and noted when they occur again', async () => {
    const world = new World()
    const many = Array.from({ length: 12_000 }, (_, i) => `45.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    world.note(...many)
    await world.clock.advance(500)
    expect(world.reported[0]![0]!.addresses).toHaveLength(10_000)
    expect(world.reported[0]![0]!.passedOver).toBe(2000)
    world.note(...many.slice(-2000))
    await world.clock.advance(500)
    expect(new Set(world.addresses)).toEqual(new Set(many))
  })

  test('wait while a report is under way, also if it fails', async () => {
    const world = new World()
    let finish: (error?: Error) => void = () => {}
    world.report = () =>
      new Promise((resolve, reject) => {
        finish = (error) => (error ? reject(error) : resolve())
      })
    world.note('45.1.2.3')
    await world.clock.advance(500)
    world.note('45.1.2.4')
    await world.clock.advance(MINUTE)
    expect(world.addresses).toEqual(['45.1.2.3'])
    finish(new Error('the other thread has ended'))
    await world.clock.advance(500)
    expect(world.addresses).toEqual(['45.1.2.3', '45.1.2.4'])
  })
})
