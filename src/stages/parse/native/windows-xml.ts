import type { JsonObject } from '../../../model/json.ts'
import { addValue } from './add-value.ts'
import type { NativeParser } from './native.ts'
import { parseXml, type XmlElement } from './xml.ts'

/** Attributes of elements of `System` and the fields they become; text of elements has the element's name. */
const SYSTEM: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Provider: { Name: 'ProviderName', Guid: 'ProviderGuid', EventSourceName: 'EventSourceName' },
  EventID: { Qualifiers: 'Qualifiers' },
  TimeCreated: { SystemTime: 'TimeCreated' },
  Correlation: { ActivityID: 'ActivityID', RelatedActivityID: 'RelatedActivityID' },
  Execution: { ProcessID: 'ProcessID', ThreadID: 'ThreadID' },
  Security: { UserID: 'UserID' },
}

/** Texts of `RenderingInfo` and the fields they become. */
const RENDERED: Readonly<Record<string, string>> = {
  Message: 'Message',
  Level: 'LevelText',
  Task: 'TaskText',
  Opcode: 'OpcodeText',
  Keywords: 'KeywordsText',
}

/**
 * Events of the Windows event log as XML, as `wevtutil`, Windows Event Forwarding and shippers render them. Fields are named as
 * Fluent Bit's `winevtlog` names them; the data of an event are in `EventData` by name, or in `EventData.Data` if they have none.
 *
 * Described by the event schema (http://schemas.microsoft.com/win/2004/08/events/event).
 */
export const windowsXml: NativeParser = {
  type: 'windows-xml',
  summary: 'Events of the Windows event log as XML.',
  example: {
    texts: [
      `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/><EventID>4625</EventID><Level>0</Level><TimeCreated SystemTime='2024-03-06T04:07:28.1234567Z'/><EventRecordID>81</EventRecordID><Execution ProcessID='4' ThreadID='20'/><Channel>Security</Channel><Computer>dc1.example.com</Computer><Security/></System><EventData><Data Name='TargetUserName'>R&amp;D</Data><Data Name='IpAddress'>192.0.2.7</Data></EventData></Event>`,
    ],
    records: [
      {
        ProviderName: 'Microsoft-Windows-Security-Auditing',
        ProviderGuid: '{54849625-5478-4994-a5ba-3e3b0328c30d}',
        EventID: '4625',
        Level: '0',
        TimeCreated: '2024-03-06T04:07:28.1234567Z',
        EventRecordID: '81',
        ProcessID: '4',
        ThreadID: '20',
        Channel: 'Security',
        Computer: 'dc1.example.com',
        EventData: { TargetUserName: 'R&D', IpAddress: '192.0.2.7' },
      },
    ],
  },
  parse(text) {
    if (!text.includes('<Event')) return undefined
    const event = parseXml(text)
    const system = event?.children.find(({ name }) => name === 'System')
    if (event?.name !== 'Event' || !system) return undefined
    const record: JsonObject = {}
    for (const element of system.children) readSystem(element, record)
    for (const element of event.children) readPart(element, record)
    return record
  },
}

function readSystem({ name, attributes, text }: XmlElement, record: JsonObject): void {
  const names = Object.hasOwn(SYSTEM, name) ? SYSTEM[name]! : {}
  for (const [attribute, value] of Object.entries(attributes)) {
    const field = Object.hasOwn(names, attribute) ? names[attribute]! : `${name}${attribute}`
    if (value !== '' && value !== undefined) addValue(record, field, value)
  }
  if (text.trim() !== '') addValue(record, name, text.trim())
}

function readPart(element: XmlElement, record: JsonObject): void {
  if (element.name === 'EventData') {
    const data: JsonObject = {}
    for (const child of element.children) addValue(data, nameOf(child), child.text)
    if (element.children.length > 0) record['EventData'] = data
  } else if (element.name === 'UserData') record['UserData'] = jsonOf(element)
  else if (element.name === 'RenderingInfo') {
    for (const child of element.children) {
      const text = child.name === 'Keywords' ? child.children.map((one) => one.text.trim()).join(', ') : child.text.trim()
      if (Object.hasOwn(RENDERED, child.name) && text !== '') record[RENDERED[child.name]!] = text
    }
  }
}

function nameOf({ name, attributes }: XmlElement): string {
  const own = attributes['Name']
  return typeof own === 'string' && own !== '' ? own : name
}

/** An element as JSON: its text, or its attributes and children by name. */
function jsonOf(element: XmlElement): JsonObject | string {
  if (element.children.length === 0 && Object.keys(element.attributes).length === 0) return element.text.trim()
  const value: JsonObject = { ...element.attributes }
  for (const child of element.children) addValue(value, child.name, jsonOf(child))
  return value
}
