import { createServer, type Server, type Socket } from 'node:net'
import { BerReader, BerWriter } from 'ldapts'
import { listening, portOf } from './servers.ts'

/** An entry of the directory: its DN, and the values of its attributes. */
export interface DirectoryEntry {
  readonly dn: string
  readonly attributes: Readonly<Record<string, readonly (string | Buffer)[]>>
}

const PAGED_RESULTS = '1.2.840.113556.1.4.319'
const INVALID_CREDENTIALS = 49
const BIND = 0x60
const UNBIND = 0x42
const SEARCH = 0x63

/** A small LDAP server on 127.0.0.1: simple bind, and searches that give all entries, in pages of two. It ignores base and filter. */
export class LdapServer {
  entries: readonly DirectoryEntry[] = []
  /** The accepted password. */
  password = ''
  /** False: searches get no answer. */
  answers = true
  onSearch: () => void = () => {}
  /** DNs that were bound with. */
  readonly bound: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket))
  }

  async listen(): Promise<this> {
    await listening(this.#server)
    return this
  }

  get url(): string {
    return `ldap://127.0.0.1:${portOf(this.#server)}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let at = 0
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      const reader = new BerReader(bytes)
      reader.readSequence()
      const id = reader.readInt()!
      const operation = reader.peek()
      if (operation === UNBIND) socket.end()
      else if (operation === BIND) this.#bind(socket, id, reader)
      else if (operation === SEARCH) {
        this.onSearch()
        if (!this.answers) return
        const page = this.entries.slice(at, at + 2)
        at += page.length
        for (const entry of page) socket.write(entryMessage(id, entry))
        socket.write(doneMessage(id, at < this.entries.length ? String(at) : ''))
      }
    })
  }

  #bind(socket: Socket, id: number, reader: BerReader): void {
    reader.readSequence(BIND)
    reader.readInt()
    this.bound.push(reader.readString()!)
    const isRight = reader.readString(0x80) === this.password
    socket.write(
      message(id, (writer) => {
        writer.startSequence(0x61)
        result(writer, isRight ? 0 : INVALID_CREDENTIALS)
        writer.endSequence()
      }),
    )
  }
}

function message(id: number, write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  write(writer)
  writer.endSequence()
  return writer.buffer
}

function result(writer: BerWriter, code: number): void {
  writer.writeEnumeration(code)
  writer.writeString('')
  writer.writeString('')
}

function entryMessage(id: number, { dn, attributes }: DirectoryEntry): Buffer {
  return message(id, (writer) => {
    writer.startSequence(0x64)
    writer.writeString(dn)
    writer.startSequence()
    for (const [name, values] of Object.entries(attributes)) {
      writer.startSequence()
      writer.writeString(name)
      writer.startSequence(0x31)
      for (const value of values) {
        if (typeof value === 'string') writer.writeString(value)
        else writer.writeBuffer(value, 4)
      }
      writer.endSequence()
      writer.endSequence()
    }
    writer.endSequence()
    writer.endSequence()
  })
}

/** The end of a page; an empty cookie is the last one's. */
function doneMessage(id: number, cookie: string): Buffer {
  return message(id, (writer) => {
    writer.startSequence(0x65)
    result(writer, 0)
    writer.endSequence()
    writer.startSequence(0xa0)
    writer.startSequence()
    writer.writeString(PAGED_RESULTS)
    const value = new BerWriter()
    value.startSequence()
    value.writeInt(0)
    value.writeString(cookie)
    value.endSequence()
    writer.writeBuffer(value.buffer, 4)
    writer.endSequence()
    writer.endSequence()
  })
}
