import { Anchor, List, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { all, call } from '../../api/client.ts'
import { number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { StateMark, type StateTone } from '../../parts/state.tsx'
import { useSession } from '../../session/session.tsx'
import classes from './watch.module.css'

const EVERY = { refetchInterval: 15_000 }

/** Whether logs arrive, tables are current and rules are on. */
export function Watch() {
  const { may } = useSession()
  return (
    <Section title="Watch">
      <ul className={classes['lines']}>
        {may('sources:read') && <Sources />}
        {may('tables:read') && <Tables />}
        {may('content:read') && <Rules />}
      </ul>
      {may('health:read') && <Problems />}
    </Section>
  )
}

interface LineProps {
  readonly to: '/sources' | '/tables' | '/detections'
  readonly what: string
  readonly tone: StateTone
  readonly children: string
}

function Line({ to, what, tone, children }: LineProps) {
  return (
    <li>
      <Anchor c="inherit" renderRoot={(props) => <Link to={to} {...props} />}>
        {what}
      </Anchor>
      <StateMark tone={tone}>{children}</StateMark>
    </li>
  )
}

function Sources() {
  const sources = useQuery({ queryKey: ['sources'], queryFn: ({ signal }) => all('GET /api/v1/sources', signal), ...EVERY })
  if (!sources.data) return <Skeleton height={24} component="li" />
  const found = sources.data
  const troubled = found.filter(({ problems }) => problems.length > 0).length
  const receiving = found.filter(({ records_per_minute }) => records_per_minute > 0).length
  return (
    <Line to="/sources" what="Sources" tone={troubled > 0 ? 'bad' : 'good'}>
      {troubled > 0
        ? `${number(troubled)} of ${number(found.length)} with problems`
        : `${number(receiving)} of ${number(found.length)} receiving now`}
    </Line>
  )
}

function Tables() {
  const tables = useQuery({ queryKey: ['tables'], queryFn: ({ signal }) => all('GET /api/v1/tables', signal), ...EVERY })
  if (!tables.data) return <Skeleton height={24} component="li" />
  const found = tables.data
  const old = found.filter(({ state }) => state === 'stale' || state === 'failing' || state === 'missing').length
  return (
    <Line to="/tables" what="Tables" tone={old > 0 ? 'warn' : 'good'}>
      {old > 0 ? `${number(old)} of ${number(found.length)} not current` : `all ${number(found.length)} current`}
    </Line>
  )
}

function Rules() {
  const rules = useQuery({ queryKey: ['rules'], queryFn: ({ signal }) => all('GET /api/v1/rules', signal), ...EVERY })
  if (!rules.data) return <Skeleton height={24} component="li" />
  const wanted = rules.data.filter(({ enabled }) => enabled)
  const failing = wanted.filter(({ state }) => state !== 'on').length
  return (
    <Line to="/detections" what="Rules" tone={failing > 0 ? 'bad' : 'good'}>
      {failing > 0 ? `${number(failing)} of ${number(wanted.length)} not as they should be` : `all ${number(wanted.length)} on`}
    </Line>
  )
}

function Problems() {
  const health = useQuery({ queryKey: ['health'], queryFn: ({ signal }) => call('GET /api/v1/health', { signal }), ...EVERY })
  const problems = health.data?.problems ?? []
  if (problems.length === 0) return null
  return (
    <List size="sm" mt="sm">
      {problems.slice(0, 5).map((problem) => (
        <List.Item key={problem} className="foreign">
          {problem}
        </List.Item>
      ))}
    </List>
  )
}
