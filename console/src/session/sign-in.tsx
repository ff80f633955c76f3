import { Alert, Anchor, Button, Divider, Modal, PasswordInput, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { call } from '../api/client.ts'
import { Failure } from '../parts/failure.tsx'
import classes from './sign-in.module.css'

interface SignInProps {
  onDone(): void
  /** A session ended while its page is open. */
  readonly isOver?: boolean
}

export function SignIn({ onDone, isOver = false }: SignInProps) {
  if (isOver)
    return (
      <Modal opened onClose={() => {}} withCloseButton={false} centered aria-label="Sign in again">
        <Title order={2} size="h3">
          Your session has ended
        </Title>
        <Text c="dimmed" mb="sm">
          Sign in again: what you have typed is still here.
        </Text>
        <Ways onDone={onDone} isOver />
      </Modal>
    )
  return (
    <main className={classes['page']}>
      <div className={classes['card']}>
        <img src="./caracal.svg" alt="" width={40} height={40} />
        <Title order={1} size="h3" mb="sm">
          Sign in to Caracal
        </Title>
        <Ways onDone={onDone} isOver={false} />
      </div>
    </main>
  )
}

function Ways({ onDone, isOver }: Required<SignInProps>) {
  const offer = useQuery({ queryKey: ['sign-in'], queryFn: ({ signal }) => call('GET /api/v1/sign-in', { signal }) })
  const [needsCode, setNeedsCode] = useState(false)
  if (offer.error) return <Failure error={offer.error} onRetry={() => void offer.refetch()} />
  if (!offer.data) return <Skeleton height={180} />
  const { needs_first_user, passwords, provider } = offer.data
  if (needs_first_user)
    return (
      <Text>
        Nobody has an account yet. <code>caracal users first-link</code> on the machine where Caracal runs prints a link by which
        you create the first one.
      </Text>
    )
  if (needsCode) return <CodeForm onDone={onDone} />
  return (
    <Stack>
      {provider !== null && <WithProvider {...{ onDone, isOver, provider }} isDefault={!passwords} />}
      {provider !== null && passwords && <Divider label="or" />}
      {passwords && <PasswordForm onDone={onDone} onCode={() => setNeedsCode(true)} />}
    </Stack>
  )
}

interface WithProviderProps extends Required<SignInProps> {
  readonly provider: string
  readonly isDefault: boolean
}

/** Over a page whose forms must stay, the provider gets a tab of its own; whoever comes back from it is signed in here, too. */
function WithProvider({ onDone, isOver, provider, isDefault }: WithProviderProps) {
  const [isAway, setIsAway] = useState(false)
  useEffect(() => {
    if (!isAway) return
    const look = () => void call('GET /api/v1/me').then(onDone, () => {})
    window.addEventListener('focus', look)
    return () => window.removeEventListener('focus', look)
  }, [isAway, onDone])
  return (
    <>
      <Button
        component="a"
        href={`./sign-in/oidc?next=${encodeURIComponent(isOver ? '/' : here())}`}
        {...(isOver && { target: '_blank', rel: 'noopener', onClick: () => setIsAway(true) })}
        variant={isDefault ? 'filled' : 'default'}
      >
        Continue with {provider}
      </Button>
      {isAway && <Text size="sm">Sign in in the other tab, and come back to this one.</Text>}
    </>
  )
}

/** The page that was asked for, below the address of the console. */
function here(): string {
  const base = new URL(document.baseURI).pathname
  return `/${location.pathname.slice(base.length)}${location.search}`
}

function PasswordForm({ onDone, onCode }: { onDone(): void; onCode(): void }) {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useMutation({
    mutationFn: () => call('POST /api/v1/sign-in', { body: { email: email.trim(), password } }),
    onSuccess: ({ state }) => (state === 'code_needed' ? onCode() : onDone()),
  })
  return (
    <Form button="Sign in" isBusy={signIn.isPending} error={signIn.error} onSubmit={() => signIn.mutate()}>
      <TextInput
        label="Email"
        type="email"
        autoComplete="username"
        required
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        data-autofocus
      />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Text size="sm" c="dimmed">
        Forgotten it? An administrator makes a link for a new one.
      </Text>
    </Form>
  )
}

function CodeForm({ onDone }: { onDone(): void }) {
  const [code, setCode] = useState('')
  const signIn = useMutation({
    mutationFn: () => call('POST /api/v1/sign-in/code', { body: { code: code.trim() } }),
    onSuccess: onDone,
  })
  return (
    <Form button="Continue" isBusy={signIn.isPending} error={signIn.error} onSubmit={() => signIn.mutate()}>
      <TextInput
        label="Code"
        description="From your authenticator app, or one of your recovery codes."
        autoComplete="one-time-code"
        required
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        data-autofocus
      />
      <Anchor component="button" type="button" onClick={() => location.reload()}>
        Begin again
      </Anchor>
    </Form>
  )
}

interface FormProps {
  readonly button: string
  readonly isBusy: boolean
  readonly error: Error | null
  readonly children: ReactNode
  onSubmit(): void
}

function Form({ button, isBusy, error, children, onSubmit }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      <Stack gap="sm">
        {children}
        {error && (
          <Alert color="red" role="alert">
            {error.message}
          </Alert>
        )}
        <Button type="submit" loading={isBusy}>
          {button}
        </Button>
      </Stack>
    </form>
  )
}
