import { Button, CloseButton, Group, Select } from '@mantine/core'
import type { AlertCounts, Count } from '../../api/types.ts'
import { shortNumber } from '../../parts/number.ts'
import { label, SEVERITIES, SeverityMark } from '../../parts/severity.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'
import classes from './alert-filters.module.css'
import { type AlertSearch, STATUSES } from './alert-search.ts'

interface AlertFiltersProps {
  readonly search: AlertSearch
  readonly counts: AlertCounts | undefined
  onChange(search: AlertSearch): void
}

export function AlertFilters({ search, counts, onChange }: AlertFiltersProps) {
  return (
    <div className={classes['filters']}>
      <Facet
        name="Severity"
        values={SEVERITIES}
        chosen={search.severity ?? []}
        counts={counts?.severities}
        show={(severity) => <SeverityMark severity={severity} />}
        onChange={(severity) => onChange(set(search, 'severity', severity))}
      />
      <Facet
        name="Status"
        values={STATUSES}
        chosen={search.status ?? []}
        counts={counts?.statuses}
        show={(status) => label(status)}
        onChange={(status) => onChange(set(search, 'status', status))}
      />
      <Owner search={search} counts={counts} onChange={onChange} />
      <Others search={search} onChange={onChange} />
    </div>
  )
}

interface FacetProps<T extends string> {
  readonly name: string
  readonly values: readonly T[]
  readonly chosen: readonly T[]
  readonly counts: readonly Count[] | undefined
  show(value: T): React.ReactNode
  onChange(chosen: T[]): void
}

/** Toggles, each with the number of alerts that it would show. */
function Facet<T extends string>({ name, values, chosen, counts, show, onChange }: FacetProps<T>) {
  return (
    <fieldset className={classes['facet']}>
      <legend>{name}</legend>
      {values.map((value) => {
        const isOn = chosen.includes(value)
        const count = counts?.find((one) => one.value === value)?.count ?? 0
        return (
          <button
            key={value}
            type="button"
            aria-pressed={isOn}
            className={classes['toggle']}
            data-none={count === 0 || undefined}
            onClick={() => onChange(isOn ? chosen.filter((one) => one !== value) : [...chosen, value])}
          >
            {show(value)}
            <span className={classes['count']}>{counts ? shortNumber(count) : ''}</span>
          </button>
        )
      })}
    </fieldset>
  )
}

const NOBODY = ' nobody'

function Owner({ search, counts, onChange }: AlertFiltersProps) {
  const { me } = useSession()
  const owners = new Set((counts?.owners ?? []).flatMap(({ value }) => (value === null ? [] : [value])))
  if (search.owner) owners.add(search.owner)
  owners.delete(me.name)
  const data = [
    { value: me.name, label: 'Me' },
    { value: NOBODY, label: 'Nobody' },
    ...[...owners].map((owner) => ({ value: owner, label: owner })),
  ]
  return (
    <Select
      className={classes['owner']!}
      size="xs"
      aria-label="Owner"
      placeholder="Any owner"
      clearable
      data={data}
      value={search.owner === undefined ? null : search.owner === '' ? NOBODY : search.owner}
      onChange={(value) => onChange(set(search, 'owner', value === NOBODY ? '' : (value ?? undefined)))}
    />
  )
}

const OTHERS = { rule: 'Rule', log_type: 'Log type', indicator: 'Indicator', tag: 'Tag', muted: 'Muted', since: 'Since' } as const

/** Filters that other pages lead to; each can be taken away. */
function Others({ search, onChange }: Omit<AlertFiltersProps, 'counts'>) {
  const names = (Object.keys(OTHERS) as (keyof typeof OTHERS)[]).filter((name) => search[name] !== undefined)
  return (
    <Group gap={6}>
      {names.map((name) => (
        <span key={name} className={classes['other']}>
          {OTHERS[name]}: <b className="foreign">{name === 'since' ? <When time={search.since!} /> : search[name]}</b>
          <CloseButton
            size="xs"
            aria-label={`Remove the filter ${OTHERS[name]}`}
            onClick={() => onChange(set(search, name, undefined))}
          />
        </span>
      ))}
      {Object.keys(search).length > 0 && (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => onChange({})}>
          Clear all
        </Button>
      )}
    </Group>
  )
}

function set<K extends keyof AlertSearch>(search: AlertSearch, name: K, value: AlertSearch[K] | undefined): AlertSearch {
  const { [name]: _, ...rest } = search
  const isNone = value === undefined || (Array.isArray(value) && value.length === 0)
  return isNone ? rest : { ...rest, [name]: value }
}
