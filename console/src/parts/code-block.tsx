import { ActionIcon, CopyButton } from '@mantine/core'
import { CheckIcon, CopyIcon } from '@radix-ui/react-icons'
import classes from './code-block.module.css'

/** Lines to copy. */
export function CodeBlock({ text }: { readonly text: string }) {
  return (
    <div className={classes['block']}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which needs the focus. */}
      <pre className={classes['text']} tabIndex={0}>
        {text}
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="default"
            size="sm"
            className={classes['copy']!}
            onClick={copy}
            aria-label={copied ? 'Copied' : 'Copy these lines'}
            title={copied ? 'Copied' : 'Copy'}
          >
            {copied ? <CheckIcon /> : <CopyIcon />}
          </ActionIcon>
        )}
      </CopyButton>
    </div>
  )
}
