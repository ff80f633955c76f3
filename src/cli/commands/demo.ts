import type { Command } from 'commander'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'

export function registerDemo(program: Command, io: Io): void {
  withServer(program.command('demo').summary('remove the demo').option('--remove', "delete the demo's events, alerts and counts"))
    .description('Removes the bundled sample that a first start sends through, with everything that came of it.')
    .addHelpText('after', '\nExample:\n  caracal demo --remove')
    .action(async ({ remove, ...flags }: ServerFlags & { readonly remove?: boolean }) => {
      if (!remove)
        throw new UsageError(
          'say what to do with the demo: `caracal demo --remove` deletes it. A first start of `caracal up` shows it',
        )
      const answer = await clientOf(flags, io).json<{ removed: string }>('/api/v1/sources/demo/data', { method: 'DELETE' })
      io.out(flags.json ? `${JSON.stringify(answer)}\n` : 'The demo is gone: its events, its alerts and its counts.\n')
    })
}
