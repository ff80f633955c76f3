import { expect, test } from 'vitest'
import { expandTemplate } from './template.ts'

const LIBRARY: Readonly<Record<string, string>> = {
  math: `-- pragma: template
{% macro double(field, times) export %}{{ field }} * {{ times }}{% endmacro %}
{% macro twice(field) export %}{{ double('x', 2) }} + {{ field }}{% endmacro %}`,
  loop: "{% import 'loop' a %}{% macro a() export %}{{ a() }}{% endmacro %}",
  endless: '{% macro a() export %}{{ a() }}{% endmacro %}',
}
const library = (name: string) => (Object.hasOwn(LIBRARY, name) ? LIBRARY[name] : undefined)

test.each([
  ['SELECT 1', 'SELECT 1'],
  ["{% set who = 'ann' %}SELECT '{{ who }}'", "SELECT 'ann'"],
  ["{% import 'math' double %}SELECT {{ double('bytes', 3) }}", 'SELECT bytes * 3'],
  ["{% macro own(a) %}[{{a}}]{% endmacro %}{# a note #}SELECT {{own('b')}}", 'SELECT [b]'],
])('%s is filled in', (sql, gives) => {
  expect(expandTemplate(sql, library)).toEqual({ kind: 'ok', sql: gives })
})

test.each([
  ["{% import 'nothing' x %}SELECT 1", "the import of 'nothing': there is no saved query of that name"],
  ["{% import 'math' half %}SELECT 1", "the import of half: the query 'math' has no such macro"],
  ['SELECT {{ who }}', 'the template variable who, which is not set'],
  ["{% import 'math' double %}SELECT {{ double('a') }}", 'the macro double with 1 arguments: it takes 2'],
  ["{% import 'math' twice %}SELECT {{ twice('a') }}", 'the macro double, which is neither imported nor defined'],
  ['{% for x in y %}{% endfor %}', 'the template tag {% for x in y %}'],
  ['SELECT {{ a + b }}', 'the template expression {{ a + b }}'],
  ['{% macro open(a) %}', 'the macro open, which has no endmacro'],
  ["{% import 'loop' a %}{{ a() }}", 'templates that import each other more than 8 deep'],
  ["{% import 'endless' a %}{{ a() }}", 'macros that call each other more than 8 deep'],
  ["{{ constructor('x') }}", 'the macro constructor, which is neither imported nor defined'],
])('%s is named as not understood', (sql, what) => {
  expect(expandTemplate(sql, library)).toEqual({ kind: 'unsupported', what: [what] })
})
