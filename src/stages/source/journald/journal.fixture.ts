/** An entry in the journal export format. Values that a line cannot hold are written with their size. */
export function exported(fields: readonly (readonly [string, string | Buffer])[]): Buffer {
  const parts = fields.map(([name, value]) => {
    const bytes = Buffer.from(value)
    if (bytes.every((byte) => byte >= 0x20)) return Buffer.concat([Buffer.from(`${name}=`), bytes, Buffer.from('\n')])
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(bytes.length))
    return Buffer.concat([Buffer.from(`${name}\n`), size, bytes, Buffer.from('\n')])
  })
  return Buffer.concat([...parts, Buffer.from('\n')])
}
