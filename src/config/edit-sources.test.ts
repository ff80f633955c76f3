import { expect, test } from 'vitest'
import { withoutSource, withSource, withSourceKeys } from './edit-sources.ts'

const FILE = `# Ours.
listen: 127.0.0.1:4848 # not the world

sources:
  # Sensors.
  - type: file
    id: zeek # on the tap
    paths: [/opt/zeek/logs/current/*.log]

  - { type: http, id: web }
flush_ms: 0x7d0
# Last.
`

test.each<[what: string, before: string, after: string]>([
  ['an empty file', '', 'sources:\n  - type: http\n    id: app\n'],
  ['a key without a value', 'sources:\nflush_ms: 100\n', 'sources:\n  - type: http\n    id: app\nflush_ms: 100\n'],
  ['an empty list in one line', 'sources: [] # none yet\n', 'sources:\n  - type: http\n    id: app\n  # none yet\n'],
  ['a file without the key', 'flush_ms: 0x64 # odd\n', 'flush_ms: 0x64 # odd\nsources:\n  - type: http\n    id: app\n'],
  ['a file with comments', FILE, FILE.replace('flush_ms', '  - type: http\n    id: app\nflush_ms')],
])('a source is added to %s', (_what, before, after) => {
  expect(withSource(before, { type: 'http', id: 'app' })).toBe(after)
})

test('a source that was added and removed leaves the file as it was', () => {
  expect(withoutSource(withSource(FILE, { type: 'http', id: 'app', log_types: ['A.B'] }), 'app')).toBe(FILE)
})

test('keys are set in the style of the source, and removed', () => {
  expect(withSourceKeys(FILE, 'web', { label: 'Shop' })).toBe(FILE.replace('id: web }', 'id: web, label: Shop }'))
  const labelled = withSourceKeys(FILE, 'zeek', { label: 'Tap' })
  expect(labelled).toContain('    id: zeek # on the tap\n')
  expect(withSourceKeys(labelled, 'zeek', { label: null })).toBe(FILE)
})

test('text that would mean something else in YAML stays text', () => {
  const text = withSource('', { type: 'http', id: 'app', label: '*x: &y !!js {{ # - |\n...\n---\nlisten: 0.0.0.0:1' })
  expect(withoutSource(text, 'app').trim()).toBe('sources: []')
})

test('a source that is not there, or a list that cannot be edited, is refused', () => {
  expect(() => withoutSource(FILE, 'none')).toThrow("has no source 'none'")
  expect(() => withSource('sources: all\n', { type: 'http', id: 'app' })).toThrow('is not a list')
})
