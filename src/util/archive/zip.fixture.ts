import { crc32, deflateRawSync } from 'node:zlib'

interface ZipOptions {
  readonly stored?: boolean
  readonly method?: number
  readonly flags?: number
  readonly comment?: string
}

/** A ZIP archive of these files, by name; a name that ends with a slash is a folder. */
export function zipOf(files: Readonly<Record<string, Buffer>>, options: ZipOptions = {}): Buffer {
  const { stored = false, method = stored ? 0 : 8, flags = 0, comment = '' } = options
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const data = stored ? content : deflateRawSync(content)
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50, 0)
    fill(header, 4)
    header.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    fill(entry, 6)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    local.push(header, Buffer.from(name), data)
    central.push(entry, Buffer.from(name))
    offset += 30 + name.length + data.length

    function fill(record: Buffer, at: number) {
      record.writeUInt16LE(20, at)
      record.writeUInt16LE(flags, at + 2)
      record.writeUInt16LE(method, at + 4)
      record.writeUInt32LE(crc32(content), at + 10)
      record.writeUInt32LE(data.length, at + 14)
      record.writeUInt32LE(content.length, at + 18)
    }
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(central.length / 2, 8)
  end.writeUInt16LE(central.length / 2, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...local, directory, end, Buffer.from(comment)])
}
