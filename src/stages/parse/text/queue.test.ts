import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { HEADER } from '../native/native.ts'
import { schema } from '../step.fixture.ts'
import { TextQueue } from './queue.ts'
import { Miss, stateless, type TextReader } from './text-parser.ts'

const META = { rowId: 'r', parseTime: '2024-04-19T12:00:00Z', receivedMs: 0, sourceId: 's', sourceLabel: 'S' }

/** Accepts texts with one of these letters; remembers how often it was tried. */
function letters(name: string, known: string) {
  const tried: string[] = []
  const read: TextReader['read'] = (text) => {
    tried.push(text)
    if (text.startsWith('#')) return HEADER
    return known.includes(text) ? { letter: text } : new Miss('no_match', `only ${known} are letters`)
  }
  return { schema: schema(name, ['letter']), parser: stateless(read), tried }
}

function nameOf(taken: ReturnType<TextQueue['take']>): string {
  return taken === HEADER ? HEADER : (taken.schema?.name ?? (taken.outcome as { reason: string }).reason)
}

describe('a queue of parsers', () => {
  test('tries the schemas in the order of the source, and the one that matched last first', () => {
    const a = letters('Custom.A', 'ax')
    const b = letters('Custom.B', 'bx')
    const queue = new TextQueue([a, b], '')
    expect(['x', 'b', 'x', 'x', 'a', 'x'].map((text) => nameOf(queue.take(text, META)))).toEqual([
      'Custom.A',
      'Custom.B',
      'Custom.B',
      'Custom.B',
      'Custom.A',
      'Custom.A',
    ])
    expect(a.tried).toEqual(['x', 'b', 'a', 'x'])
  })

  test('continues after any text with what the previous one remembered', () => {
    const texts = [...'xbxxaaxbbxqx']
    const whole = new TextQueue([letters('Custom.A', 'ax'), letters('Custom.B', 'bx')], '')
    const expected = texts.map((text) => nameOf(whole.take(text, META)))
    let context = ''
    const split = texts.map((text) => {
      const queue = new TextQueue([letters('Custom.A', 'ax'), letters('Custom.B', 'bx')], `${context}#fields\ta`)
      const name = nameOf(queue.take(text, META))
      context = queue.context()
      return name
    })
    expect(split).toEqual(expected)
  })

  test('remembers the state of each reader', () => {
    const open = (context: string): TextReader => {
      let count = Number(context || 0)
      return { read: () => ({ letter: String(++count) }) as JsonObject, context: () => String(count) }
    }
    const candidate = { schema: schema('Custom.Count', ['letter']), parser: { open } }
    const first = new TextQueue([candidate], '')
    first.take('a', META)
    const second = new TextQueue([candidate], first.context())
    expect(second.take('b', META)).toMatchObject({ outcome: { value: { letter: '2' } } })
  })

  test('says which parsers refused a text, and why', () => {
    const queue = new TextQueue([letters('Custom.A', 'a'), letters('Custom.B', 'b')], '')
    const { outcome } = queue.take('q', META) as Exclude<ReturnType<TextQueue['take']>, typeof HEADER>
    expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'no_match' })
    expect((outcome as { message: string }).message).toContain('Custom.A: only a are letters; Custom.B: only b are letters')
  })

  test('gives the reason of the schema whose parser accepted the text', () => {
    const strict = { ...letters('Custom.A', 'q'), schema: schema('Custom.A', ['letter', 'ts']) }
    const queue = new TextQueue([letters('Custom.B', 'b'), strict], '')
    expect(queue.take('q', META)).toMatchObject({
      outcome: { reason: 'missing_field', message: 'the field ts is required and missing' },
    })
  })

  test('adds the host that the body names, unless the record has one', () => {
    const queue = new TextQueue([letters('Custom.A', 'a')], '')
    expect(queue.take('a', META, { host: 'web-1' })).toMatchObject({ outcome: { value: { letter: 'a', host: 'web-1' } } })
  })

  test('a line that belongs to a format but is not a record is neither stored nor refused', () => {
    const queue = new TextQueue([letters('Custom.A', 'a')], '')
    expect(queue.take('# a title', META)).toBe(HEADER)
  })
})
