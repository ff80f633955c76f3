import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Config } from '../../config/config.ts'
import { type Examination, failed, ok } from './examination.ts'

interface Port {
  readonly listen: string
  readonly isUdp: boolean
  /** The key of the configuration that names it. */
  readonly key: string
}

/** Checks that the ports of the configuration are free, or that Caracal itself has them. */
export function portsExamination(config: Pick<Config, 'listen' | 'sources'>, isRunning: boolean): Examination {
  return {
    name: 'ports',
    async run() {
      const ports = portsOf(config)
      const names = ports.map(({ listen, isUdp }) => `${listen}${isUdp ? ' (UDP)' : ''}`).join(', ')
      if (isRunning) return ok(`Caracal has ${names}`)
      const problems = (await Promise.all(ports.map(problemOf))).filter((problem) => problem !== undefined)
      if (problems.length === 0) return ok(`${names}: free`)
      return failed(problems.join('; '), 'stop the program that has the port (`ss -lntup` shows it), or choose another one')
    },
  }
}

function portsOf({ listen, sources }: Pick<Config, 'listen' | 'sources'>): Port[] {
  const own = sources.flatMap((source): Port[] => {
    const { listen: address, transports } = source as { listen?: string; transports?: readonly string[] }
    if (address === undefined) return []
    const key = `listen of source ${source.id}`
    const kinds = transports ?? ['tcp']
    const isTcp = kinds.some((kind) => kind !== 'udp')
    return [
      ...(isTcp ? [{ listen: address, isUdp: false, key }] : []),
      ...(kinds.includes('udp') ? [{ listen: address, isUdp: true, key }] : []),
    ]
  })
  return [{ listen, isUdp: false, key: 'listen' }, ...own]
}

async function problemOf({ listen, isUdp, key }: Port): Promise<string | undefined> {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(listen.slice(colon + 1))
  const server = isUdp ? createSocket(host.includes(':') ? 'udp6' : 'udp4') : createServer()
  try {
    const listening = once(server, 'listening')
    if ('bind' in server) server.bind(port, host)
    else server.listen({ host, port })
    await listening
    await new Promise<void>((resolve) => void server.close(() => resolve()))
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = REASONS[code ?? ''] ?? `it cannot be used (${code ?? error})`
    return `${listen}${isUdp ? ' (UDP)' : ''} of \`${key}\`: ${why}`
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it',
  EACCES: 'this user may not use ports below 1024',
  EADDRNOTAVAIL: 'this machine does not have that address',
}
