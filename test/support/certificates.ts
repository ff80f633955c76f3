import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** Certificate authorities and server certificates (X.509, P-256), created by the tests themselves. */

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const bytes: number[] = []
  for (let n = body.length; n > 0; n >>= 8) bytes.unshift(n & 0xff)
  return Buffer.concat([Buffer.from(body.length < 128 ? [tag, body.length] : [tag, 0x80 | bytes.length, ...bytes]), body])
}

const sequence = (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts)
const ECDSA_SHA256 = sequence(Buffer.from('06082a8648ce3d040302', 'hex'))
const COMMON_NAME = Buffer.from('0603550403', 'hex')
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex')
const ALT_NAMES = Buffer.from('0603551d11', 'hex')
const TRUE = Buffer.from('0101ff', 'hex')
const validity = (until: string) => sequence(tlv(0x17, Buffer.from('200101000000Z')), tlv(0x17, Buffer.from(until)))
const VALID = validity('491231235959Z')
const EXPIRED = validity('231231235959Z')

const nameOf = (text: string) => sequence(tlv(0x31, sequence(COMMON_NAME, tlv(0x0c, Buffer.from(text)))))

interface Signer {
  readonly name: string
  readonly key: KeyObject
}

function pem(signer: Signer, subject: string, publicKey: KeyObject, extension: Uint8Array, valid = VALID): string {
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    nameOf(signer.name),
    valid,
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(extension)),
  )
  const der = sequence(body, ECDSA_SHA256, tlv(0x03, Buffer.from([0]), sign('sha256', body, signer.key)))
  const lines = der.toString('base64').match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** An unknown authority and the certificates that it signs. */
export function testAuthority(name = 'Test authority') {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = { name, key: privateKey }
  const isAuthority = sequence(BASIC_CONSTRAINTS, TRUE, tlv(0x04, sequence(TRUE)))
  function serverOf(hosts: readonly string[], valid = VALID): { readonly key: string; readonly cert: string } {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const alternatives =
      hosts.length > 0 ? hosts.map((host) => tlv(0x82, Buffer.from(host))) : [tlv(0x87, Buffer.from([127, 0, 0, 1]))]
    const names = sequence(ALT_NAMES, tlv(0x04, sequence(...alternatives)))
    return {
      key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      cert: pem(signer, hosts[0] ?? '127.0.0.1', own.publicKey, names, valid),
    }
  }
  return {
    certificate: pem(signer, name, publicKey, isAuthority),
    /** Key and certificate of a server under these DNS names, or for 127.0.0.1 if there are none. */
    server: (...hosts: readonly string[]) => serverOf(hosts),
    /** The same with a certificate that expired at the end of 2023. */
    expired: (...hosts: readonly string[]) => serverOf(hosts, EXPIRED),
  }
}
