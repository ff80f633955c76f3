import { VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { counted, number, shortNumber } from '../../parts/number.ts'
import type { Tactic } from './coverage.tsx'
import classes from './matrix.module.css'

/** One column for each tactic, in the order of the matrix, and one cell for each technique that a rule names. */
export function Matrix({ tactics }: { readonly tactics: readonly Tactic[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which needs the focus.
    <section className={classes['scroll']} tabIndex={0} aria-label="Tactics and techniques">
      <ul className={classes['matrix']}>
        {tactics.map((tactic) => (
          <li key={tactic.tactic} className={classes['column']}>
            <Head tactic={tactic} />
            {tactic.techniques.length === 0 && <p className={classes['none']}>No rule</p>}
            <ul>
              {tactic.techniques.map((one) => (
                <li key={one.technique}>
                  <Cell tactic={tactic.tactic} cell={one} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Head({ tactic: { tactic, name, rules_on, rules_off } }: { readonly tactic: Tactic }) {
  return (
    <h2 className={classes['head']}>
      {name ?? tactic}
      <span className={classes['small']}>
        {rules_on + rules_off === 0
          ? tactic
          : `${counted(rules_on, 'rule')} on${rules_off > 0 ? `, ${number(rules_off)} off` : ''}`}
      </span>
    </h2>
  )
}

interface CellProps {
  readonly tactic: string
  readonly cell: Tactic['techniques'][number]
}

function Cell({ tactic, cell: { technique, name, rules_on, rules_off, matches } }: CellProps) {
  const off = rules_off > 0 ? `, ${rules_off} off` : ''
  return (
    <Link
      to="/coverage"
      search={{ tactic, technique }}
      className={classes['cell']}
      data-heat={heatOf(matches)}
      data-off={rules_on === 0 || undefined}
    >
      <b>{technique}</b>
      {name !== null && <span className={classes['technique']}>{name}</span>}
      <span className={classes['small']}>
        {number(rules_on)} on{off}
      </span>
      <span className={classes['matches']} title={counted(matches, 'match', 'matches')}>
        {matches > 0 && (
          <>
            {shortNumber(matches)}
            <VisuallyHidden> {matches === 1 ? 'match' : 'matches'}</VisuallyHidden>
          </>
        )}
      </span>
    </Link>
  )
}

/** 0: nothing matched; then a step for each power of ten. */
function heatOf(matches: number): number {
  return matches === 0 ? 0 : Math.min(4, 1 + Math.floor(Math.log10(matches)))
}
