import { expect, test } from 'vitest'
import { readSchemaFile } from './schema-file.ts'

const where = { file: 'x.yml' }
const withParser = (parser: object) => ({ schema: 'Custom.Xy', parser, fields: [{ name: 'a', type: 'string' }] })

test('the format of Zeek is accepted', () => {
  expect(() => readSchemaFile(withParser({ native: { name: 'zeek' } }), where)).not.toThrow()
})

test.each<[string, object, string]>([
  ['an unknown native parser', { native: { name: 'nonesuch' } }, 'x.yml at parser.native.name: unknown native parser "nonesuch"'],
  ['an unknown key of a parser', { native: { name: 'zeek', from: 1 } }, 'x.yml at parser.native: Unrecognized key: "from"'],
  ['an unknown parser', { grok: {} }, "x.yml at parser: unknown parser 'grok': use one of csv, fastmatch"],
])('%s is refused with its position', (_, parser, message) => {
  expect(() => readSchemaFile(withParser(parser), where)).toThrow(message)
})
