const BLOCK = 512

/** A file of an archive to write. */
export interface PackedFile {
  readonly name: string
  readonly content: Uint8Array
}

/** A tar archive of these files in this order, without owners and times: the same files make the same bytes. */
export function packTar(files: readonly PackedFile[]): Uint8Array {
  const blocks = files.flatMap(({ name, content }) => {
    if (/^[\x20-\x7e]{1,99}$/.test(name)) return entry(name, '0', content)
    return [...entry('path', 'x', pathRecord(name)), ...entry('file', '0', content)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function entry(name: string, kind: '0' | 'x', content: Uint8Array): Uint8Array[] {
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)
  return [header(name, kind, content.length), content, padding]
}

/** Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, "ustar Interchange Format". */
function header(name: string, kind: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  block.write(name, 0, 'latin1')
  block.write(octal(0o644, 7) + octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(0, 11), 100, 'latin1')
  block.write(`        ${kind}`, 148, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A name that the header cannot hold: `LENGTH path=NAME`, where the length counts its own digits. */
function pathRecord(name: string): Uint8Array {
  const rest = Buffer.from(` path=${name}\n`)
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}
