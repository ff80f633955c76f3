import type { Command } from 'commander'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'

export function registerDemo(program: Command, io: Io): void {
  withServer(
    program.command('demo').summary('remove the demo').option('--remove', 'delete the events, alerts and counts of the demo'),
  )
    .description('Removes the bundled sample that the first start processes, and everything derived from it.')
    .addHelpText('after', '\nExample:\n  caracal demo --remove')
    .action(async ({ remove, ...flags }: ServerFlags & { readonly remove?: boolean }) => {
      if (!remove)
        throw new UsageError(
          'specify what to do: `caracal demo --remove` deletes the demo. The first start of `caracal up` runs it',
        )
      const answer = await clientOf(flags, io).json<{ removed: string }>('/api/v1/sources/demo/data', { method: 'DELETE' })
      io.out(flags.json ? `${JSON.stringify(answer)}\n` : 'The demo was removed: its events, alerts and counts.\n')
    })
}
