import type { Command } from 'commander'
import type { z } from 'zod'
import type { alertSchema } from '../../api/alert-view.ts'
import { idsOf } from '../alert-change.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'

type Alert = z.output<typeof alertSchema>

interface HoldFlags extends ServerFlags {
  readonly reason: string
}

const HELP = `
An alert on hold is kept with its evidence, its timeline, and its events and matches in the lake: neither retention nor size
limits nor \`caracal delete\` remove them until it is released. Alerts that were merged into it are kept too.

Examples:
  caracal alerts hold 61e3cd32 --reason 'case 2027-14'
  caracal alerts --held
  caracal alerts release 61e3cd32 --reason 'case closed'`

/** Commands that put alerts on legal hold. */
export function registerAlertHold(alerts: Command, io: Io): void {
  for (const [name, description, why, result] of [
    ['hold', 'Keep alerts and everything about them until they are released.', 'why they must be kept', 'on hold'],
    ['release', 'Release alerts from their hold.', 'why they need not be kept any longer', 'not on hold'],
  ] as const)
    withServer(alerts.command(`${name} <ids...>`).description(description))
      .requiredOption('--reason <text>', why)
      .addHelpText('after', HELP)
      .action(async (ids: string[], { reason, ...flags }: HoldFlags) => {
        const client = clientOf(flags, io)
        for (const id of idsOf(ids)) {
          const call = { method: 'POST', body: { reason } } as const
          const alert = await client.json<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}/${name}`, call)
          await io.write(flags.json ? `${JSON.stringify(alert)}\n` : `${alert.alert_id.slice(0, 8)} is ${result}.\n`)
        }
      })
}
