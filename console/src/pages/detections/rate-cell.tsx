import { Group } from '@mantine/core'
import { number } from '../../parts/number.ts'
import { HOURS } from './rate.ts'
import classes from './rate-cell.module.css'

const [BAR, HEIGHT] = [3, 16]

/** How often a rule matches: its matches of the last day, and a bar for each hour. `undefined`: not known. */
export function RateCell({ hours }: { readonly hours: readonly number[] | undefined }) {
  if (!hours) return '–'
  const [sum, most] = [hours.reduce((all, one) => all + one, 0), Math.max(...hours)]
  if (sum === 0) return number(0)
  // The smallest bar is still to be seen.
  const height = (matches: number) => (matches === 0 ? 0 : Math.max(2, (HEIGHT * matches) / most))
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      <svg
        width={HOURS * BAR}
        height={HEIGHT}
        className={classes['bars']}
        role="img"
        aria-label={`At most ${number(most)} an hour`}
      >
        <rect y={HEIGHT - 1} width={HOURS * BAR} height={1} className={classes['base']} />
        {hours.map((matches, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an hour is its place
          <rect key={at} x={at * BAR} y={HEIGHT - height(matches)} width={BAR - 1} height={height(matches)} />
        ))}
      </svg>
      {number(sum)}
    </Group>
  )
}
