import { ActionIcon, AppShell, Burger, Group, Menu, NavLink, Text, Tooltip, useMantineColorScheme } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { DesktopIcon, MoonIcon, PersonIcon, SunIcon } from '@radix-ui/react-icons'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useSession } from '../session/session.tsx'
import { IndicatorBox } from './indicator-box.tsx'
import { useLive } from './live.ts'
import { PLACES } from './navigation.ts'
import classes from './shell.module.css'

export function Shell() {
  const isCut = useLive(useQueryClient())
  const [isOpen, { toggle, close }] = useDisclosure(false)
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 196, breakpoint: 'sm', collapsed: { mobile: !isOpen } }} padding={0}>
      <a href="#main" className={classes['skip']}>
        Skip to the content
      </a>
      <AppShell.Header className={classes['header']}>
        <Group gap="sm" wrap="nowrap">
          <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
          <Link to="/" className={classes['brand']}>
            <img src="./caracal.svg" alt="" width={20} height={20} />
            <span>Caracal</span>
          </Link>
        </Group>
        <IndicatorBox />
        <Group gap={4} wrap="nowrap">
          <ColourScheme />
          <Account />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes['navbar']} component="nav" aria-label="Pages">
        <Places onChosen={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main">
        <Outlet />
        {isCut && (
          <div className={classes['cut']} role="status">
            Caracal does not answer. What you see may be out of date; trying again…
          </div>
        )}
      </AppShell.Main>
    </AppShell>
  )
}

function Places({ onChosen }: { onChosen(): void }) {
  const { may } = useSession()
  const path = useRouterState({ select: ({ location }) => location.pathname })
  return PLACES.map((group) => (
    <div key={group[0]!.to} className={classes['group']}>
      {group
        .filter(({ needs }) => may(needs))
        .map(({ to, label, icon: Icon }) => {
          const isHere = to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
          return (
            <NavLink
              key={to}
              renderRoot={(props) => <Link to={to} {...props} />}
              label={label}
              leftSection={<Icon />}
              active={isHere}
              aria-current={isHere ? 'page' : undefined}
              onClick={onChosen}
              className={classes['place']!}
            />
          )
        })}
    </div>
  ))
}

const SCHEMES = {
  auto: { icon: DesktopIcon, label: 'Colours of the system', next: 'light' },
  light: { icon: SunIcon, label: 'Light', next: 'dark' },
  dark: { icon: MoonIcon, label: 'Dark', next: 'auto' },
} as const

function ColourScheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const { icon: Icon, label, next } = SCHEMES[colorScheme]
  return (
    <Tooltip label={`${label}; next: ${SCHEMES[next].label.toLowerCase()}`}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Colours: ${label.toLowerCase()}`}
        onClick={() => setColorScheme(next)}
      >
        <Icon />
      </ActionIcon>
    </Tooltip>
  )
}

function Account() {
  const { me, signOut } = useSession()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Account ${me.name}`}>
          <PersonIcon />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text span fw={600} className="foreign">
            {me.name}
          </Text>{' '}
          · {me.role}
        </Menu.Label>
        <Menu.Item component="a" href="./account">
          Your account
        </Menu.Item>
        <Menu.Item onClick={signOut}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
