import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { isDocument, nameOf } from './document-text.ts'

interface DocumentLinkProps {
  readonly href: string
  readonly children: ReactNode
}

/** A link of a document: within it, to another one, or out of Caracal. Anything else is text. */
export function DocumentLink({ href, children }: DocumentLinkProps) {
  if (/^https?:\/\//.test(href))
    return (
      <a href={href} target="_blank" rel="noreferrer">
        {children}
      </a>
    )
  const [path = '', hash = ''] = href.split('#')
  // The page has a base element, to which a mere fragment would be relative.
  if (path === '')
    return (
      <Link to="." hash={hash}>
        {children}
      </Link>
    )
  if (path.endsWith('.md') && isDocument(nameOf(path)))
    return (
      <Link to="/help/$name" params={{ name: nameOf(path) }} hash={hash}>
        {children}
      </Link>
    )
  return children
}
