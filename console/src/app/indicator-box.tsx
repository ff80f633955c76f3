import { Kbd, TextInput } from '@mantine/core'
import { MagnifyingGlassIcon } from '@radix-ui/react-icons'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { useKeys } from '../parts/keys.ts'

/** Looks an address, user, hash or host up in all logs, from any page. */
export function IndicatorBox() {
  const [value, setValue] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const navigate = useNavigate()
  useKeys({ g: () => input.current?.focus() })
  const submit = () => {
    const indicator = value.trim()
    if (indicator === '') return
    setValue('')
    input.current?.blur()
    void navigate({ to: '/search', search: { indicator } })
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <TextInput
        ref={input}
        size="xs"
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        aria-label="Find an address, user, hash or host in all logs"
        placeholder="Find an address, user, hash or host"
        leftSection={<MagnifyingGlassIcon />}
        rightSection={<Kbd size="xs">g</Kbd>}
      />
    </form>
  )
}
