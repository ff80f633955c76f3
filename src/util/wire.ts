import { Deserializer, Serializer } from 'node:v8'

/** By their place in this list, which is part of the format. */
const VIEWS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
] as const
const PRIVATE = 0
const SHARED = 1

/**
 * A message to another process as bytes: what `postMessage` can copy to a thread, with the same meaning, shared memory included, of which the
 * receiver gets a copy. A view becomes one over a buffer of its own.
 */
export function toWire(message: unknown): Buffer {
  const writer = new WireWriter()
  writer.writeHeader()
  writer.writeValue(message)
  return writer.releaseBuffer()
}

/** Reads what `toWire` wrote. Only for bytes of a process that has proved who it is: the format is not made for hostile ones. */
export function fromWire(bytes: Uint8Array): unknown {
  const reader = new WireReader(bytes)
  reader.readHeader()
  return reader.readValue()
}

/** What the type declarations of Node leave out. */
interface WithViews {
  _setTreatArrayBufferViewsAsHostObjects(treats: boolean): void
}

class WireWriter extends Serializer {
  constructor() {
    super()
    ;(this as unknown as WithViews)._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** @internal Called by the base class for each view. */
  _writeHostObject(view: ArrayBufferView): void {
    const kind = VIEWS.findIndex((type) => view instanceof type)
    if (kind < 0) throw new TypeError(`${view.constructor.name} cannot be sent to another process`)
    this.writeUint32(kind)
    this.writeUint32(view.buffer instanceof SharedArrayBuffer ? SHARED : PRIVATE)
    this.writeUint32(view.byteLength)
    this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
}

class WireReader extends Deserializer {
  /** @internal Called by the base class for each view. */
  _readHostObject(): ArrayBufferView {
    const type = VIEWS[this.readUint32()]
    if (!type) throw new TypeError('not a message of this version')
    const isShared = this.readUint32() === SHARED
    const length = this.readUint32()
    const buffer = isShared ? new SharedArrayBuffer(length) : new ArrayBuffer(length)
    new Uint8Array(buffer).set(this.readRawBytes(length))
    return new type(buffer as ArrayBuffer)
  }
}
