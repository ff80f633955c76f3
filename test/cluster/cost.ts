import { cpuSeconds } from '../../scripts/lib/cpu.mjs'
import type { World } from './world.ts'

/** CPU seconds of each node, and of all servers together. */
interface Cpu {
  readonly nodes: Readonly<Record<string, number>>
  readonly servers: number
}

/** What some work has cost. */
export interface Cost extends Cpu {
  readonly seconds: number
}

/** Does the work while no node ends, and says what it has cost. */
export async function costOf(world: World, work: () => Promise<void>): Promise<Cost> {
  const before = cpuOf(world)
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1000
  const after = cpuOf(world)
  const nodes = Object.entries(after.nodes).map(([name, cpu]) => [name, cpu - before.nodes[name]!] as const)
  return { seconds, nodes: Object.fromEntries(nodes), servers: after.servers - before.servers }
}

export const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0)

/** The servers are children of this process, as the nodes are. */
function cpuOf(world: World): Cpu {
  const pids = [...world.nodes.values()].map(({ name, caracal }) => [name, caracal.pid!] as const)
  const nodes = Object.fromEntries(pids.map(([name, pid]) => [name, cpuSeconds(pid)]))
  const { user, system } = process.cpuUsage()
  return { nodes, servers: cpuSeconds(process.pid) - sum(Object.values(nodes)) - (user + system) / 1e6 }
}

/** In words; `events` is the number of records that the work was about. */
export function costText({ seconds, nodes, servers }: Cost, events: number): string {
  const each = (cpu: number) => `${((cpu * 1e6) / events).toFixed(0)} µs`
  const costs = Object.entries(nodes).map(([name, cpu]) => `${name} ${each(cpu)}`)
  return `${events} events in ${seconds.toFixed(1)} s; CPU of an event: ${costs.join(', ')}, servers ${each(servers)}`
}
