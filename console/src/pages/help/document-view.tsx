import { lexer, type Token, type Tokens } from 'marked'
import { type ReactNode, useMemo } from 'react'
import { CodeBlock } from '../../parts/code-block.tsx'
import { DocumentLink } from './document-link.tsx'
import classes from './help.module.css'
import { slugOf } from './slug.ts'

/** A document in Markdown. Its tokens become elements of the page one by one; HTML in it is shown as text. */
export function DocumentView({ text }: { readonly text: string }) {
  const tokens = useMemo(() => lexer(text), [text])
  return <article className={classes['text']}>{blocks(tokens)}</article>
}

function blocks(tokens: readonly Token[]): ReactNode[] {
  // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no other name, and never change their place.
  return tokens.map((token, i) => <Block key={i} token={token as Tokens.Generic} />)
}

function Block({ token }: { readonly token: Tokens.Generic }) {
  switch (token.type) {
    case 'heading':
      return <Heading token={token as Tokens.Heading} />
    case 'paragraph':
      return <p>{inlines(token.tokens)}</p>
    case 'text':
      return token.tokens ? inlines(token.tokens) : token['text']
    case 'code':
      return <CodeBlock text={token['text']} />
    case 'list':
      return <List token={token as Tokens.List} />
    case 'table':
      return <Table token={token as Tokens.Table} />
    case 'blockquote':
      return <blockquote>{blocks(token.tokens ?? [])}</blockquote>
    case 'hr':
      return <hr />
    case 'space':
    case 'def':
      return null
    default:
      return token.raw
  }
}

function Heading({ token: { depth, text, tokens } }: { readonly token: Tokens.Heading }) {
  const Name = `h${Math.min(4, depth)}` as 'h1' | 'h2' | 'h3' | 'h4'
  return <Name id={slugOf(text)}>{inlines(tokens)}</Name>
}

function List({ token: { ordered, items, start } }: { readonly token: Tokens.List }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: items have no other name.
  const lines = items.map((item, i) => <li key={i}>{blocks(item.tokens)}</li>)
  return ordered ? <ol start={start === '' ? 1 : start}>{lines}</ol> : <ul>{lines}</ul>
}

function Table({ token: { header, rows } }: { readonly token: Tokens.Table }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which needs the focus.
    <section className={classes['table']} tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>
            {header.map(({ tokens }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: cells have no other name.
              <th key={i}>{inlines(tokens)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name.
            <tr key={i}>
              {row.map(({ tokens }, j) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells have no other name.
                <td key={j}>{inlines(tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function inlines(tokens: readonly Token[] | undefined): ReactNode[] {
  // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no other name, and never change their place.
  return (tokens ?? []).map((token, i) => <Inline key={i} token={token as Tokens.Generic} />)
}

function Inline({ token }: { readonly token: Tokens.Generic }): ReactNode {
  switch (token.type) {
    case 'text':
      return token.tokens ? inlines(token.tokens) : token['text']
    case 'escape':
      return token['text']
    case 'strong':
      return <strong>{inlines(token.tokens)}</strong>
    case 'em':
      return <em>{inlines(token.tokens)}</em>
    case 'codespan':
      return <code>{token['text']}</code>
    case 'br':
      return <br />
    case 'link':
      return <DocumentLink href={String(token['href'])}>{inlines(token.tokens)}</DocumentLink>
    default:
      return token.raw
  }
}
