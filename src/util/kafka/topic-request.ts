import { kafkaInternals } from './internals.ts'

/** A topic as a broker describes it. */
export interface TopicDescription {
  readonly name: string
  /** Of a topic that was deleted and created again, it is another. `undefined`: the broker does not know ids (Kafka before 2.8). */
  readonly id: string | undefined
  readonly partitions: number
  /** The node that leads partition 0; `undefined`: none at the moment. */
  readonly leader: number | undefined
}

export interface ClusterDescription {
  readonly nodes: readonly { readonly id: number; readonly host: string; readonly port: number }[]
  /** The node that creates topics. */
  readonly controller: number
  /** Those that exist and may be described. */
  readonly topics: readonly TopicDescription[]
  /** Error codes of the others, by name. */
  readonly errors: ReadonlyMap<string, number>
}

const METADATA = 3
/** The first version whose answer has ids of topics. */
const VERSION = 10
const NO_ID = '0'.repeat(32)
/** An answer about a few topics is far smaller. */
const MAX_ITEMS = 100_000

/** A request, for `connectionPool.send`, that describes topics, or all: the library's own has no ids. Creates nothing. */
export function topicRequest(names: readonly string[] | 'all'): object {
  const { Encoder } = kafkaInternals()
  return {
    request: {
      apiKey: METADATA,
      apiVersion: VERSION,
      apiName: 'Metadata',
      encode: async () => new Encoder().writeBuffer(encoded(names)),
    },
    response: { decode: async (data: Buffer) => decodeTopics(data), parse: async (answer: ClusterDescription) => answer },
  }
}

function encoded(names: readonly string[] | 'all'): Buffer {
  const parts: Buffer[] = [Buffer.from([0]), varint(names === 'all' ? 0 : names.length + 1)]
  for (const name of names === 'all' ? [] : names) {
    const bytes = Buffer.from(name)
    parts.push(Buffer.alloc(16), varint(bytes.length + 1), bytes, Buffer.from([0]))
  }
  // No creation of topics, no lists of permissions.
  parts.push(Buffer.from([0, 0, 0, 0]))
  return Buffer.concat(parts)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}

/** Decodes the body of the answer. Throws `RangeError` if it is not one. */
export function decodeTopics(data: Buffer): ClusterDescription {
  let at = 0
  const int = (size: 1 | 2 | 4) => {
    const value = data.readIntBE(at, size)
    at += size
    return value
  }
  const uvarint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = data.readUInt8(at++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
      if (shift > 28) throw new RangeError('an answer about topics is malformed')
    }
  }
  const bytes = (length: number) => {
    if (length < 0 || at + length > data.length) throw new RangeError('an answer about topics is cut off')
    at += length
    return data.subarray(at - length, at)
  }
  const text = () => {
    const length = uvarint()
    return length === 0 ? '' : bytes(length - 1).toString('utf8')
  }
  const tags = () => {
    for (let n = uvarint(); n > 0; n--) {
      uvarint()
      bytes(uvarint())
    }
  }
  const list = <T>(item: () => T): T[] => {
    const length = uvarint() - 1
    if (length > MAX_ITEMS) throw new RangeError('an answer about topics is too long')
    return Array.from({ length: Math.max(0, length) }, item)
  }
  tags()
  int(4)
  const nodes = list(() => {
    const node = { id: int(4), host: text(), port: int(4) }
    text()
    tags()
    return node
  })
  text()
  const controller = int(4)
  const errors = new Map<string, number>()
  const topics = list(() => {
    const error = int(2)
    const name = text()
    const id = bytes(16).toString('hex')
    int(1)
    const partitions = list(() => {
      int(2)
      const index = int(4)
      const leader = int(4)
      int(4)
      for (let i = 0; i < 3; i++) list(() => int(4))
      tags()
      return { index, leader }
    })
    int(4)
    tags()
    if (error !== 0) errors.set(name, error)
    const leader = partitions.find(({ index }) => index === 0)?.leader ?? -1
    const known = { id: id === NO_ID ? undefined : id, leader: leader < 0 ? undefined : leader }
    return { name, partitions: partitions.length, ...known }
  })
  return { nodes, controller, topics: topics.filter(({ name }) => !errors.has(name)), errors }
}
