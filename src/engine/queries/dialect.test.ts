import { expect, test } from 'vitest'
import { pantherSign } from './dialect.ts'

test.each([
  ["SELECT * FROM logs.web WHERE message LIKE '{%'", undefined],
  ["SELECT * FROM logs.web WHERE message LIKE '{%}' OR message LIKE '{{%'", undefined],
  ["{% import 'shared' times %} SELECT 1", 'must'],
  ["{%- set user = 'ana' -%} SELECT '{{ user }}'", 'must'],
  ["SELECT '{{ user }}'", 'must'],
])('%s: %s', (sql, sign) => {
  expect(pantherSign(sql)).toBe(sign)
})
