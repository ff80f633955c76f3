import { expect, test } from 'vitest'
import { windowsXml } from './windows-xml.ts'
import { parseXml } from './xml.ts'

const SYSTEM = '<System><Provider Name="P"/><EventID Qualifiers="16384">7045</EventID><Computer>pc1</Computer></System>'
const header = { ProviderName: 'P', EventID: '7045', Qualifiers: '16384', Computer: 'pc1' }
const event = (rest: string) => windowsXml.parse(`<Event xmlns="x">${SYSTEM}${rest}</Event>`)

test.each<[string, string, object]>([
  ['data by name', "<EventData><Data Name='a'>1 &lt; 2</Data><Data Name='b'/></EventData>", { EventData: { a: '1 < 2', b: '' } }],
  [
    'data without names',
    '<EventData><Data>x</Data><Data>y</Data><Binary>00</Binary></EventData>',
    { EventData: { Data: ['x', 'y'], Binary: '00' } },
  ],
  ['no data', '<EventData/>', {}],
  [
    'data of its own kind',
    '<UserData><LogFileCleared xmlns="y"><SubjectUserName>bob</SubjectUserName></LogFileCleared></UserData>',
    { UserData: { LogFileCleared: { SubjectUserName: 'bob' } } },
  ],
  [
    'the text that Windows renders',
    '<RenderingInfo Culture="en-US"><Message>A service was installed.</Message><Level>Information</Level><Keywords><Keyword>Classic</Keyword></Keywords></RenderingInfo>',
    { Message: 'A service was installed.', LevelText: 'Information', KeywordsText: 'Classic' },
  ],
])('%s', (_, rest, expected) => expect(event(rest)).toEqual({ ...header, ...expected }))

test('a declaration and line breaks change nothing', () => {
  const text = `\ufeff<?xml version="1.0"?>\r\n<Event>\n  ${SYSTEM}\n</Event>\n`
  expect(windowsXml.parse(text)).toEqual(header)
})

test.each([
  ['a document type, which could define entities', `<!DOCTYPE x [<!ENTITY a "b">]><Event>${SYSTEM}</Event>`],
  ['an event that is cut off', `<Event>${SYSTEM}<EventData>`],
  ['elements that overlap', `<Event>${SYSTEM}<EventData><Data></EventData></Data></Event>`],
  ['two events', `<Event>${SYSTEM}</Event><Event>${SYSTEM}</Event>`],
  ['another document', '<Events/>'],
  ['no system', '<Event></Event>'],
])('%s is refused', (_, text) => expect(windowsXml.parse(text)).toBeUndefined())

test('XML has comments, sections, character references and prefixes', () => {
  expect(parseXml('<n:a n:x="&#x41;&quot;"><!-- <b> --><![CDATA[<&>]]>&amp;&unknown;&#0;</n:a>')).toMatchObject({
    name: 'a',
    attributes: { x: 'A"' },
    text: '<&>&&unknown;\u0000',
  })
})

test('elements nested deeper than 32 are refused', () => {
  const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth)
  expect(parseXml(nested(32))).toBeDefined()
  expect(parseXml(nested(33))).toBeUndefined()
})
