import { BlockList, isIP } from 'node:net'

/** Judges whether an address is in one of the networks, such as `10.0.0.0/8` or `192.0.2.7`. */
export function inNetworks(cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', bits] = cidr.split('/')
    const family = familyOf(network)
    if (!family) throw new TypeError(`'${cidr}' is not a network`)
    list.addSubnet(network, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return (address) => {
    const plain = address.replace(/%.*$/, '')
    const family = familyOf(plain)
    return family !== undefined && list.check(plain, family)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const family = isIP(address)
  return family === 4 ? 'ipv4' : family === 6 ? 'ipv6' : undefined
}
